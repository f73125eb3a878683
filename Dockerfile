# The image of the gateway. Build it at the top of the tree:
#
#   docker build -t responsible-use-gateway:0.1.0 .
#
# It holds no key and no configuration of yours. It runs as uid 10001 with a
# read-only root; the only places written to are /var/lib/gateway and /tmp:
#
#   docker volume create gateway
#   docker run --rm -v gateway:/var/lib/gateway responsible-use-gateway:0.1.0 db upgrade
#   docker run --rm -v gateway:/var/lib/gateway responsible-use-gateway:0.1.0 keys new me
#   docker run --rm --read-only --tmpfs /tmp -v gateway:/var/lib/gateway \
#     -p 8080:8080 -p 127.0.0.1:8081:8081 -e OPENAI_API_KEY responsible-use-gateway:0.1.0

FROM python:3.12-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# The environment has no pip of its own: the builder's pip fills it, and nothing
# can be installed into the finished image's environment.
RUN python -m venv --without-pip /opt/gateway

# The lock alone first: this layer stays while only our own code changes.
WORKDIR /src
COPY requirements/run.lock requirements/run.lock
RUN pip --python /opt/gateway/bin/python install --require-hashes --requirement requirements/run.lock

COPY . .
RUN pip --python /opt/gateway/bin/python install --no-deps --no-build-isolation .


FROM python:3.12-slim

RUN groupadd --gid 10001 gateway \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/gateway \
        --shell /usr/sbin/nologin gateway \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/gateway

COPY --from=build /opt/gateway /opt/gateway

# The admin port listens on all of the container's addresses, since a container
# is reached from outside itself: publish it to 127.0.0.1 only, as shown above.
ENV PATH=/opt/gateway/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GATEWAY_DATA=/var/lib/gateway \
    GATEWAY_HOST=0.0.0.0 \
    GATEWAY_PORT=8080 \
    GATEWAY_ADMIN_HOST=0.0.0.0 \
    GATEWAY_ADMIN_PORT=8081

USER 10001:10001
WORKDIR /var/lib/gateway
VOLUME /var/lib/gateway
EXPOSE 8080 8081

HEALTHCHECK --interval=15s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['GATEWAY_PORT'] + '/livez', timeout=2)"]

ENTRYPOINT ["gateway"]
CMD ["serve"]
