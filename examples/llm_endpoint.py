"""A language model of one's own behind an OpenAI-compatible endpoint, to put the provider benchmark to a real model.

Needs PyTorch and transformers. With the folder of any causal language model that has a chat template:

    python examples/llm_endpoint.py FOLDER --port 8000
    waytrace providers run --provider http://127.0.0.1:8000/v1 --model FOLDER --family tools --limit 3 --epochs 1

It knows neither tools nor schemas but by what the prompt says of them, and its runs are dry runs: it is no vendor.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import torch
import transformers

from waytrace.providers.families import Reply
from waytrace.providers.stand_in import Served, completion, serving


class Endpoint:
    """Answers chat completions with one model, one request at a time, greedily."""

    def __init__(self, folder: str) -> None:
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.lock = threading.Lock()

    def __call__(self, asked: dict[str, Any], _: Mapping[str, str]) -> Served:
        """The answer to one request; token by token if it asks for a stream."""
        prompt = self.tokenizer.apply_chat_template(
            asked["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        count = int(prompt["input_ids"].shape[1])
        most = asked.get("max_completion_tokens") or asked.get("max_tokens") or 128
        if asked.get("stream"):
            return Served(chunks=self.pieces(prompt, count, most))
        with self.lock, torch.inference_mode():
            out = self.model.generate(**prompt, max_new_tokens=most, do_sample=False)[0, count:]
        text = self.tokenizer.decode(out, skip_special_tokens=True)
        said = completion(Reply(text, finish="length" if len(out) == most else "stop"))
        said["usage"] = usage(count, len(out))
        return Served(said)

    def pieces(self, prompt: Any, count: int, most: int) -> Iterator[dict[str, Any]]:
        """Pieces of a stream as they are made, the usage last."""
        base = {"id": "local", "object": "chat.completion.chunk", "created": 0, "model": "local"}
        streamer = transformers.TextIteratorStreamer(self.tokenizer, skip_prompt=True, skip_special_tokens=True)
        found: list[int] = []

        def generate() -> None:
            with self.lock, torch.inference_mode():
                out = self.model.generate(**prompt, max_new_tokens=most, do_sample=False, streamer=streamer)
            found.append(out.shape[1] - count)

        thread = threading.Thread(target=generate)
        thread.start()
        for text in streamer:
            yield base | {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
        thread.join()
        yield base | {"choices": [], "usage": usage(count, found[0])}


def usage(prompt: int, completed: int) -> dict[str, int]:
    """Tokens, as an OpenAI-compatible server says them."""
    return {"prompt_tokens": prompt, "completion_tokens": completed, "total_tokens": prompt + completed}


def main() -> None:
    """Serve a model's folder until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", help="folder of a Hugging Face causal language model with its tokenizer")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    with serving(Endpoint(options.folder), options.port) as url:
        print(f"Answering with {options.folder} at {url}; stop with Ctrl-C.", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
