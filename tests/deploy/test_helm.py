"""The chart, rendered and linted by Helm's own engine."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml

from gateway import catalogue
from gateway.identity.keyring import Keyring
from gateway.settings import PREFIX, Settings

CHART = Path(__file__).parents[2] / "helm"

SETTINGS = {PREFIX + field.name.upper() for field in fields(Settings)}

SHARED = {
    "database": {"existingSecret": {"name": "db"}},
    "keyring": {"existingSecret": {"name": "keyring"}},
}

VARIATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "shared": SHARED,
    "everything": {
        **SHARED,
        "replicaCount": 3,
        "autoscaling": {"enabled": True},
        "networkPolicy": {
            "enabled": True,
            "gatewayFrom": [{"namespaceSelector": {}}],
            "adminFrom": [{"podSelector": {"matchLabels": {"role": "operator"}}}],
            "egress": [{"ports": [{"port": 443, "protocol": "TCP"}]}],
        },
        "providerKeys": {
            "existingSecret": "providers",
            "variables": [
                {"name": "OPENAI_API_KEY", "secretName": "openai", "secretKey": "api-key"}
            ],
        },
        "catalogue": {
            "apiVersion": "gateway/v1",
            "kind": "Catalogue",
            "backends": [
                {
                    "name": "hosted",
                    "kind": "openai",
                    "url": "https://llm.example/v1",
                    "credential": "env:OPENAI_API_KEY",
                }
            ],
            "models": [{"name": "small-*", "backend": "hosted"}],
        },
        "policies": {"default.yaml": "  a: 1\n", "two.yaml": {"id": "one", "is": [True]}},
        "settings": {"GATEWAY_MAX_BODY_BYTES": 10485760, "GATEWAY_LOG_LEVEL": "warning"},
        "image": {"repository": "registry.example/gateway", "digest": "sha256:" + "0" * 64},
        "imagePullSecrets": [{"name": "pull"}],
        "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [{"maxSkew": 1}],
        "priorityClassName": "high",
        "podLabels": {"team": "x"},
        "podAnnotations": {"note": "y"},
    },
    "sqlite on a given volume": {"persistence": {"existingClaim": "old"}},
    "no migration": {**SHARED, "database": {**SHARED["database"], "migrate": False}},
    "retention": {
        **SHARED,
        "retention": {"enabled": True, "timeZone": "Europe/Berlin"},
        "settings": {"GATEWAY_AUDIT_PAYLOAD_DAYS": "default=7"},
        "nodeSelector": {"disk": "ssd"},
    },
    "retention on sqlite": {"retention": {"enabled": True, "schedule": "@daily"}},
    "other account": {"serviceAccount": {"create": False, "name": "other"}},
}

REFUSED = {
    "unknown value": {"replicas": 2},
    "retention at no time": {"retention": {"enabled": True, "schedule": "3 o'clock"}},
    "days of retention beside the settings": {"retention": {"enabled": True, "days": 30}},
    "database address in the values": {"database": {"url": "postgresql://u:p@h/d"}},
    "database address as a setting": {"settings": {"GATEWAY_DATABASE_URL": "x"}},
    "setting of something else": {"settings": {"OPENAI_API_KEY": "x"}},
    "provider key in the values": {
        "providerKeys": {"variables": [{"name": "OPENAI_API_KEY", "value": "x"}]}
    },
    "provider key from nowhere": {
        "providerKeys": {"variables": [{"name": "A", "secretName": "", "secretKey": "k"}]}
    },
    "policy path out of its folder": {"policies": {"../x.yaml": "a"}},
    "policy in a folder below": {"policies": {"more/x.yaml": "a"}},
    "policy that would not be read": {"policies": {"x.txt": "a"}},
    "credential in the catalogue": {"catalogue": {"backends": [{"credential": "sk-123"}]}},
    "digest cut short": {"image": {"digest": "sha256:12"}},
    "no workers": {"workers": 0},
    "port": {"service": {"port": 70000}},
    "admin service made public": {"adminService": {"type": "LoadBalancer"}},
    "two replicas, no shared database": {"replicaCount": 2},
    "autoscaling, no shared database": {"autoscaling": {"enabled": True}},
    "shared database, no shared keyring": {"database": {"existingSecret": {"name": "db"}}},
    "fewest more than most": {**SHARED, "autoscaling": {"enabled": True, "maxReplicas": 1}},
}


class Loader(yaml.SafeLoader):
    """Refuses a mapping with the same key twice, as a cluster does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"key twice in {keys}"
        return super().construct_mapping(node, deep=deep)


@pytest.fixture(scope="module")
def chart() -> Iterator[helm_python.Chart]:
    with helm_python.Chart.load(CHART) as loaded:
        yield loaded


def render(chart: helm_python.Chart, values: dict[str, Any]) -> list[dict[str, Any]]:
    files = chart.render(values, name="demo", namespace="prod")
    texts = [text for path, text in files.items() if path.endswith(".yaml")]
    documents = [each for text in texts for each in yaml.load_all(text, Loader)]
    return [each for each in documents if each]


@pytest.fixture(params=VARIATIONS)
def manifests(request: pytest.FixtureRequest, chart: helm_python.Chart) -> list[dict[str, Any]]:
    return render(chart, VARIATIONS[request.param])


def of_kind(manifests: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in manifests if each["kind"] == kind]


def deployment(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = of_kind(manifests, "Deployment")
    return found


def pods(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    owners = of_kind(manifests, "Deployment") + of_kind(manifests, "Job")
    owners += [each["spec"]["jobTemplate"] for each in of_kind(manifests, "CronJob")]
    return [each["spec"]["template"]["spec"] for each in owners]


def containers(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        each
        for pod in pods(manifests)
        for each in pod["containers"] + pod.get("initContainers", [])
    ]


def environment(container: dict[str, Any]) -> dict[str, Any]:
    return {
        each["name"]: each.get("value", each.get("valueFrom")) for each in container.get("env", [])
    }


@pytest.mark.parametrize("values", VARIATIONS.values(), ids=VARIATIONS.keys())
def test_lint_finds_nothing_but_the_missing_icon(values: dict[str, Any]) -> None:
    report = helm_python.lint(CHART, values, strict=True)
    assert report["errors"] == []
    assert [each["error"] for each in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED.keys())
def test_wrong_values_are_refused(chart: helm_python.Chart, values: dict[str, Any]) -> None:
    with pytest.raises((helm_python.HelmValuesError, helm_python.HelmRenderError)):
        chart.render(values, name="demo")


def test_every_object_has_a_name_of_its_own(manifests: list[dict[str, Any]]) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(names) == len(set(names))
    for each in manifests:
        assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == "demo"


def test_pods_have_no_rights(manifests: list[dict[str, Any]]) -> None:
    for pod in pods(manifests):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert all("hostPath" not in volume for volume in pod["volumes"])


def test_containers_have_no_rights(manifests: list[dict[str, Any]]) -> None:
    for container in containers(manifests):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert {"requests", "limits"} <= container["resources"].keys()


def test_written_folders_are_volumes(manifests: list[dict[str, Any]]) -> None:
    for pod in pods(manifests):
        volumes = {each["name"] for each in pod["volumes"]}
        for container in pod["containers"] + pod.get("initContainers", []):
            mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
            assert set(mounts.values()) <= volumes
            if container["name"] != "keyring":
                assert {"/tmp", environment(container)["GATEWAY_DATA"]} <= mounts.keys()


def test_secrets_are_only_referred_to(manifests: list[dict[str, Any]]) -> None:
    assert of_kind(manifests, "Secret") == []
    for container in containers(manifests):
        for name, value in environment(container).items():
            if name == "GATEWAY_DATABASE_URL" or not name.startswith("GATEWAY_"):
                assert value.keys() == {"secretKeyRef"}


def test_environment_names_are_settings(manifests: list[dict[str, Any]]) -> None:
    for container in containers(manifests):
        names = [each["name"] for each in container.get("env", [])]
        assert {name for name in names if name.startswith(PREFIX)} <= SETTINGS
        assert len(names) == len(set(names))


def test_probes_ask_the_gateway_port(manifests: list[dict[str, Any]]) -> None:
    (container,) = deployment(manifests)["spec"]["template"]["spec"]["containers"]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    expected = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    for probe, path in expected.items():
        assert container[probe]["httpGet"] == {"path": path, "port": "gateway"}
    assert ports == {"gateway": 8080, "admin": 8081}


def test_services_and_budget_select_the_gateway(manifests: list[dict[str, Any]]) -> None:
    labels = deployment(manifests)["spec"]["template"]["metadata"]["labels"].items()
    (budget,) = of_kind(manifests, "PodDisruptionBudget")
    selectors = [each["spec"]["selector"] for each in of_kind(manifests, "Service")]
    for selector in [*selectors, budget["spec"]["selector"]["matchLabels"]]:
        assert selector.items() <= labels
        assert selector["app.kubernetes.io/component"] == "gateway"


def test_admin_port_is_never_beside_the_gateway_port(manifests: list[dict[str, Any]]) -> None:
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "Service")}
    targets = {name: [p["targetPort"] for p in spec["ports"]] for name, spec in services.items()}
    name = deployment(manifests)["metadata"]["name"]
    assert targets == {name: ["gateway"], f"{name}-admin": ["admin"]}
    assert services[f"{name}-admin"]["type"] == "ClusterIP"


def test_shared_database_is_migrated_before_the_release(chart: helm_python.Chart) -> None:
    manifests = render(chart, SHARED)
    (job,) = of_kind(manifests, "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert container["args"] == ["db", "upgrade"]
    assert environment(container)["GATEWAY_DATABASE_URL"] == {
        "secretKeyRef": {"name": "db", "key": "url"}
    }
    # A hook runs before everything else of the release exists.
    assert "serviceAccountName" not in job["spec"]["template"]["spec"]
    pod = deployment(manifests)["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["initContainers"]] == ["keyring"]


def test_sqlite_is_migrated_on_its_own_volume(chart: helm_python.Chart) -> None:
    manifests = render(chart, {})
    (claim,) = of_kind(manifests, "PersistentVolumeClaim")
    pod = deployment(manifests)["spec"]["template"]["spec"]
    (step,) = pod["initContainers"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert of_kind(manifests, "Job") == []
    assert step["args"] == ["db", "upgrade"]
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert deployment(manifests)["spec"]["strategy"] == {"type": "Recreate"}


def test_migration_can_be_left_out(chart: helm_python.Chart) -> None:
    assert of_kind(render(chart, VARIATIONS["no migration"]), "Job") == []


def cron_job(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = of_kind(manifests, "CronJob")
    return found


def test_nothing_is_destroyed_unless_it_is_asked_for(chart: helm_python.Chart) -> None:
    assert of_kind(render(chart, {}), "CronJob") == []
    assert of_kind(render(chart, VARIATIONS["everything"]), "CronJob") == []


def test_retention_runs_alone_and_as_the_gateway_would(chart: helm_python.Chart) -> None:
    manifests = render(chart, VARIATIONS["retention"])
    spec = cron_job(manifests)["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("17 3 * * *", "Europe/Berlin")
    assert spec["concurrencyPolicy"] == "Forbid"
    template = spec["jobTemplate"]["spec"]["template"]
    # Services, the budget and the network policy are about other pods.
    assert template["metadata"]["labels"]["app.kubernetes.io/component"] == "retention"
    gateway, pod = deployment(manifests)["spec"]["template"]["spec"], template["spec"]
    assert [each["name"] for each in pod["initContainers"]] == ["keyring"]
    assert "affinity" not in pod
    assert pod["nodeSelector"] == gateway["nodeSelector"]
    ours, theirs = (environment(each["containers"][0]) for each in (pod, gateway))
    for name in ("GATEWAY_DATABASE_URL", "GATEWAY_KEYRING", "GATEWAY_AUDIT_PAYLOAD_DAYS"):
        assert ours[name] == theirs[name]
    assert ours["GATEWAY_REPLICA"] == "demo-responsible-use-gateway-retain"


def test_retention_of_an_sqlite_file_runs_where_the_gateway_does(chart: helm_python.Chart) -> None:
    manifests = render(chart, VARIATIONS["retention on sqlite"])
    pod = cron_job(manifests)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    template = deployment(manifests)["spec"]["template"]
    data = [[v for v in each["volumes"] if v["name"] == "data"] for each in (pod, template["spec"])]
    assert data[0] == data[1]
    assert "persistentVolumeClaim" in data[0][0]
    (near,) = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert near["topologyKey"] == "kubernetes.io/hostname"
    selector = near["labelSelector"]["matchLabels"]
    assert selector.items() <= template["metadata"]["labels"].items()
    assert selector["app.kubernetes.io/component"] == "gateway"


def test_what_retention_runs_is_a_command(chart: helm_python.Chart, tmp_path: Path) -> None:
    manifests = render(chart, VARIATIONS["retention"])
    (container,) = pods(manifests)[-1]["containers"]
    assert container["args"][:3] == ["audit", "retain", "--apply"]
    given = {name: each for name, each in environment(container).items() if isinstance(each, str)}
    given |= {"GATEWAY_DATA": str(tmp_path), "GATEWAY_KEYRING": str(tmp_path / "keyring.json")}
    Keyring.open(tmp_path / "keyring.json")
    for args in (["db", "upgrade"], container["args"]):
        command = [sys.executable, "-m", "gateway", *args]
        done = subprocess.run(command, env={**os.environ, **given}, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_catalogue_and_policies_arrive_as_files(chart: helm_python.Chart, tmp_path: Path) -> None:
    values = VARIATIONS["everything"]
    manifests = render(chart, values)
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(manifests, "ConfigMap")}
    policies, given = (
        maps["demo-responsible-use-gateway-policies"],
        maps["demo-responsible-use-gateway-catalogue"],
    )
    assert policies["default.yaml"] == values["policies"]["default.yaml"]
    assert yaml.safe_load(policies["two.yaml"]) == values["policies"]["two.yaml"]
    (tmp_path / "catalogue.yaml").write_text(given["catalogue.yaml"])
    read = catalogue.read(tmp_path / "catalogue.yaml", ["openai"], {"OPENAI_API_KEY": "k"})
    assert [model.name for model in read.models] == ["small-*"]


def test_configured_paths_are_mounted(chart: helm_python.Chart) -> None:
    pod = deployment(render(chart, VARIATIONS["everything"]))["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {each["mountPath"]: each.get("readOnly") for each in container["volumeMounts"]}
    settings = environment(container)
    assert mounts[settings["GATEWAY_POLICY"]] is True
    assert mounts[str(Path(settings["GATEWAY_CATALOGUE"]).parent)] is True
    assert mounts[str(Path(settings["GATEWAY_KEYRING"]).parent)] is True
    assert settings.keys() <= SETTINGS | {"OPENAI_API_KEY"}
    assert settings["GATEWAY_REPLICA"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_keyring_is_made_private_before_the_start(chart: helm_python.Chart) -> None:
    pod = deployment(render(chart, SHARED))["spec"]["template"]["spec"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    (step,) = pod["initContainers"]
    assert step["command"][:2] == ["install", "--mode=0600"]
    assert step["command"][-1] == environment(pod["containers"][0])["GATEWAY_KEYRING"]
    assert volumes["keyring-secret"]["secret"]["secretName"] == "keyring"
    assert volumes["keyring"]["emptyDir"]["medium"] == "Memory"


def test_settings_keep_their_digits(chart: helm_python.Chart) -> None:
    pod = deployment(render(chart, VARIATIONS["everything"]))["spec"]["template"]["spec"]
    settings = environment(pod["containers"][0])
    assert settings["GATEWAY_MAX_BODY_BYTES"] == "10485760"
    assert settings["GATEWAY_LOG_LEVEL"] == "warning"


def test_changed_policy_restarts_the_pods(chart: helm_python.Chart) -> None:
    def checksum(policies: dict[str, str]) -> str:
        template = deployment(render(chart, {"policies": policies}))["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    assert checksum({"a.yaml": "1"}) == checksum({"a.yaml": "1"})
    assert checksum({"a.yaml": "1"}) != checksum({"a.yaml": "2"})


def test_autoscaling_owns_the_number_of_replicas(chart: helm_python.Chart) -> None:
    manifests = render(chart, VARIATIONS["everything"])
    (scaler,) = of_kind(manifests, "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment(manifests)["metadata"]["name"]
    assert "replicas" not in deployment(manifests)["spec"]


def test_network_policy_closes_the_admin_port(chart: helm_python.Chart) -> None:
    (policy,) = of_kind(render(chart, {"networkPolicy": {"enabled": True}}), "NetworkPolicy")
    ports = [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]]
    assert ports == ["gateway"]
    assert policy["spec"]["policyTypes"] == ["Ingress"]


def test_digest_wins_over_tag(chart: helm_python.Chart) -> None:
    manifests = render(chart, {"image": {"tag": "x", "digest": "sha256:" + "1" * 64}})
    images = {each["image"] for each in containers(manifests)}
    assert images == {"responsible-use-gateway@sha256:" + "1" * 64}


def test_notes_name_the_commands(chart: helm_python.Chart) -> None:
    files = chart.render({}, name="demo", namespace="prod")
    notes = files["responsible-use-gateway/templates/NOTES.txt"]
    assert "gateway keys new" in notes
    assert "{{" not in notes


def test_schema_describes_every_default() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values.keys() <= schema["properties"].keys()
    assert schema["properties"].keys() - values.keys() == {"global"}


def test_chart_version_is_the_projects() -> None:
    project = tomllib.loads((CHART.parent / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == project["version"]
    assert chart["name"] == project["name"]
