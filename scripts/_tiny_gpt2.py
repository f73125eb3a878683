"""Makes a tiny GPT-2 with random weights and a tokenizer of its own, for trying a real server.

Run by the Python that has PyTorch and Transformers: `_tiny_gpt2.py FOLDER TEXT`. Nothing is
downloaded. It says nothing sensible, but everything around it is what a real model has.
"""

import string
import sys
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

START, END, UNKNOWN = "<|im_start|>", "<|im_end|>", "<|unknown|>"
VOCABULARY = 512
POSITIONS = 2048

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def main() -> None:
    folder, text = Path(sys.argv[1]), Path(sys.argv[2])
    tokenizer = make_tokenizer(text)
    tokenizer.save_pretrained(folder)
    model = make_model(tokenizer)
    model.save_pretrained(folder)
    print(
        f"{model.config.n_layer} layers, {model.num_parameters():,} parameters, "
        f"{len(tokenizer)} tokens"
    )


def make_tokenizer(text: Path) -> transformers.PreTrainedTokenizerFast:
    """Byte pairs over printable characters, so that whatever the model picks can be read."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[START, END, UNKNOWN],
        initial_alphabet=[*string.printable.split()[0], "\n"],
        show_progress=False,
    )
    tokenizer.train([str(text)], trainer)
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=START,
        eos_token=END,
        pad_token=END,
        unk_token=UNKNOWN,
        model_max_length=POSITIONS,
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def make_model(tokenizer: transformers.PreTrainedTokenizerFast) -> transformers.GPT2LMHeadModel:
    """The same weights each time. Answers are drawn, and at least eight tokens long."""
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=POSITIONS,
            n_embd=64,
            n_layer=2,
            n_head=4,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.generation_config = transformers.GenerationConfig(
        do_sample=True,
        min_new_tokens=8,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return model


if __name__ == "__main__":
    main()
