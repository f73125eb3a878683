"""What others call a hazard, in our categories.

MLCommons' AILuminate 1.0 hazards have Llama Guard's codes S1 to S13; S14 is Llama Guard's own
(model cards of Llama Guard 3 and 4, 2024 and 2025). OpenAI's keys are those of its moderation
endpoint (API reference, 2026). A finding of ours for each: the nearest, never a guess of several.
"""

from __future__ import annotations

from collections.abc import Mapping

# Harmful, of a kind that is not told.
UNSAFE = "UNSAFE"

LLAMA_GUARD: Mapping[str, str] = {
    "S1": "VIOLENT_CRIMES",
    "S2": "NONVIOLENT_CRIMES",
    "S3": "SEX_CRIMES",
    "S4": "CHILD_SEXUAL_EXPLOITATION",
    "S5": "DEFAMATION",
    "S6": "SPECIALIZED_ADVICE",
    "S7": "PRIVACY_VIOLATION",
    "S8": "INTELLECTUAL_PROPERTY",
    "S9": "WEAPONS_CBRNE",
    "S10": "HATE",
    "S11": "SELF_HARM",
    "S12": "SEXUAL_CONTENT",
    "S13": "ELECTIONS",
    "S14": "CODE_INTERPRETER_ABUSE",
}

OPENAI: Mapping[str, str] = {
    "harassment": "HARASSMENT",
    "harassment/threatening": "VIOLENT_CRIMES",
    "hate": "HATE",
    "hate/threatening": "HATE",
    "illicit": "NONVIOLENT_CRIMES",
    "illicit/violent": "VIOLENT_CRIMES",
    "self-harm": "SELF_HARM",
    "self-harm/intent": "SELF_HARM_INTENT",
    "self-harm/instructions": "SELF_HARM_INSTRUCTIONS",
    "sexual": "SEXUAL_CONTENT",
    "sexual/minors": "CHILD_SEXUAL_EXPLOITATION",
    "violence": "VIOLENT_CRIMES",
    "violence/graphic": "GRAPHIC_VIOLENCE",
}

# Azure AI Content Safety's four (REST reference of text:analyze, 2024-09-01).
AZURE: Mapping[str, str] = {
    "Hate": "HATE",
    "SelfHarm": "SELF_HARM",
    "Sexual": "SEXUAL_CONTENT",
    "Violence": "VIOLENT_CRIMES",
}

# ShieldGemma's four harm types (model card, 2024).
SHIELD_GEMMA: Mapping[str, str] = {
    "dangerous": "VIOLENT_CRIMES",
    "harassment": "HARASSMENT",
    "hate": "HATE",
    "sexual": "SEXUAL_CONTENT",
}

# Granite Guardian's criteria for messages (model card of 3.3, 2025).
GRANITE_GUARDIAN: Mapping[str, str] = {
    "harm": UNSAFE,
    "jailbreak": "JAILBREAK",
    "profanity": "PROFANITY",
    "sexual_content": "SEXUAL_CONTENT",
    "social_bias": "HATE",
    "unethical_behavior": "NONVIOLENT_CRIMES",
    "violence": "VIOLENT_CRIMES",
}
