# Sourced by the other scripts, with the tree's root as the working directory:
# finds a Python, makes the environment, installs what a lock file pins.
#
#   PYTHON        the Python to make the environment with (3.11 or newer)
#   GATEWAY_VENV  where the environment lives (default: .venv)
#   GATEWAY_TRANSLATION_VENV  where that of the tests of translation lives
#                             (default: .venv-translation)
# shellcheck shell=bash

VENV=${GATEWAY_VENV:-.venv}
VENV_PYTHON=$VENV/bin/python

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $1"
    shift
    local line
    for line in "$@"; do say "       $line"; done
    exit 1
}

# set_up LOCK: an environment that holds exactly the pins of requirements/LOCK.lock
# (or more, if a larger lock was installed before) and this tree, editable.
set_up() {
    local lock=$1
    make_venv
    install_lock "$lock"
    install_project
}

# Runs all tests, in as many processes as there are cores, up to four: each holds the detectors.
# With arguments, which pytest gets, only what it finds by them, in one process.
run_tests() {
    if (($# == 0)); then
        set -- --numprocesses logical --maxprocesses 4 --dist loadfile
    fi
    "$VENV_PYTHON" -m pytest "$@"
}

# Runs the tests of translation in an environment of their own, for litellm pins another
# openai than the other tests use. Arguments go to pytest.
test_translation() (
    set_up_translation
    PYTHONPATH=$PWD exec "$VENV_PYTHON" -m pytest tests/translation "$@"
)

# The tree itself is not installed there: it is found by PYTHONPATH, also by processes that
# are started.
set_up_translation() {
    VENV=${GATEWAY_TRANSLATION_VENV:-.venv-translation}
    VENV_PYTHON=$VENV/bin/python
    make_venv
    install_lock translation --no-deps --no-compile
}

# Prints a command that is a Python >= 3.11 with the venv module. Each candidate
# is run, since a name on the PATH may be a launcher with nothing behind it.
find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.12 python3.11 python3.13 python3 python; do
        if fits "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
        if [[ $candidate == "${PYTHON:-}" ]]; then
            fail "PYTHON=$PYTHON is not a Python 3.11 or newer with the venv module." \
                "Point PYTHON at one, or unset it to have one looked for."
        fi
    done
    fail "no Python 3.11 or newer with the venv module was found." \
        "Install one (Debian, Ubuntu: apt-get install python3 python3-venv;" \
        "macOS: brew install python@3.12), or name it: PYTHON=/path/to/python3.12 $0"
}

fits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
        > /dev/null 2>&1
}

make_venv() {
    if [[ -x $VENV_PYTHON ]] && "$VENV_PYTHON" -c '' > /dev/null 2>&1; then
        return
    fi
    if [[ -e $VENV && ! -f $VENV/pyvenv.cfg ]]; then
        fail "$VENV exists and is not a Python environment." \
            "Move it away, or choose another place: GATEWAY_VENV=/some/folder $0"
    fi
    local python
    python=$(find_python)
    say "Making $VENV with $("$python" --version) ..."
    # --clear: what is left of an environment whose Python has gone is of no use.
    "$python" -m venv --clear "$VENV" \
        || fail "could not make $VENV." "Check the space and the permissions there."
}

# install_lock LOCK [PIP'S OPTIONS...]
# The stamp is removed before and written after, so that an interrupted
# installation is done again.
install_lock() {
    local lock=$1 file=requirements/$1.lock stamp=$VENV/.lock-$1 digest
    shift
    digest=$(digest_of "$file")
    if [[ -f $stamp && $(< "$stamp") == "$digest" ]]; then
        return
    fi
    rm -f "$VENV"/.lock-*
    run_quietly "Installing the packages of $file (the first time takes a minute or two)" \
        "$VENV_PYTHON" -m pip install --require-hashes "$@" --requirement "$file"
    printf '%s\n' "$digest" > "$stamp"
    # The development lock holds everything the other one does.
    if [[ $lock == dev ]]; then
        digest_of requirements/run.lock > "$VENV/.lock-run"
    fi
}

# The project counts as installed while pyproject.toml and its place are the same.
install_project() {
    local stamp=$VENV/.project digest
    digest="$(digest_of pyproject.toml) $PWD"
    if [[ -f $stamp && $(< "$stamp") == "$digest" && -x $VENV/bin/gateway ]]; then
        return
    fi
    rm -f "$stamp"
    run_quietly "Installing the gateway from this tree" \
        "$VENV_PYTHON" -m pip install --no-deps --no-build-isolation --editable .
    printf '%s\n' "$digest" > "$stamp"
}

digest_of() {
    "$VENV_PYTHON" -c 'import hashlib, pathlib, sys
print(hashlib.sha256(pathlib.Path(sys.argv[1]).read_bytes()).hexdigest())' "$1"
}

# run_quietly MESSAGE COMMAND...: one line of progress; the whole log on failure.
run_quietly() {
    local message=$1 log
    shift
    log=$(mktemp)
    say "$message ..."
    if PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 "$@" > "$log" 2>&1; then
        rm -f "$log"
        return
    fi
    cat "$log" >&2
    rm -f "$log"
    fail "this command failed; its output is above:" "$*" \
        "Without a way to the package index nothing can be installed: check the network," \
        "and, behind a proxy, HTTPS_PROXY or pip's own configuration. Then run $0 again."
}
