"""An own decoder for the Qwen2 and Llama family: from a folder of safetensors to logits, without transformers.

Read `model.py` for the way from token ids to logits, `batch.py` for the way from a prompt to its answer.
"""
