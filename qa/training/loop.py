"""The loop that trains reader and retriever, on a GPU if there is one: a rate that falls with the share of time
or steps used, checkpoints, resuming."""

import ctypes
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch.nn import Module, Parameter
from torch.optim import AdamW
from transformers import BertModel

Batch = TypeVar("Batch")
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""Options of malloc.h."""


def claim(work: Path, run: Mapping[str, object]) -> None:
    """Makes the work folder, and makes it this run's: what another one left there would be gone on with.

    `run`: what decides what is trained, by name. Ends the program if the folder holds something else.
    """
    work.mkdir(parents=True, exist_ok=True)
    note = work / "run.json"
    text = json.dumps({name: str(value) for name, value in run.items()}, indent=1, sort_keys=True)
    if any(work.iterdir()) and (not note.exists() or note.read_text(encoding="utf-8") != text):
        raise SystemExit(f"{work} holds another run (see {note.name} there); name another folder with --work")
    note.write_text(text, encoding="utf-8")


def place(model: Module) -> torch.device:
    """Moves the model to the GPU; where there is none, makes it and this process fast on the CPU. Where it is now."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        fast_on_cpu(model)
        keep_freed_memory()
    model.to(device)
    return device


def fast_on_cpu(model: Module) -> None:
    """Takes out dropout, and fused attention, whose backward pass is slow on a CPU: three times as fast."""
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
        elif isinstance(part, BertModel):
            part.config._attn_implementation = "eager"


def keep_freed_memory() -> None:
    """Keeps the process's memory at its peak, where the C library is glibc: steps are a tenth faster, since no pages
    are asked for and cleared again."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library and hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_MAX, 0)  # no block outside the heap,
        library.mallopt(_M_TRIM_THRESHOLD, -1)  # and its end is never given back


def adamw(*learned: tuple[Sequence[Parameter], float]) -> AdamW:
    """The optimizer of parameters, each with its peak rate."""
    return AdamW([{"params": list(part), "peak": peak} for part, peak in learned], weight_decay=0.01, fused=True)


def train(
    model: Module,
    optimizer: AdamW,
    order: Sequence[Batch],
    loss_of: Callable[[Batch], torch.Tensor],
    *,
    work: Path,
    minutes: float,
    warmup: int,
    save_every: int,
    saved: Callable[[int], None] = lambda _step: None,
) -> tuple[int, float]:
    """Goes through the batches once, or as far as the minutes reach; returns steps and seconds, resumed runs together.

    Rates rise to their peaks over `warmup` steps and fall to zero at the end. Every `save_every` steps `work` gets a
    checkpoint, from which the next call goes on, and `saved` is told.
    """
    step, used, running = 0, 0.0, 2.0
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        before = torch.load(checkpoint, map_location="cpu")
        model.load_state_dict(before["model"])
        optimizer.load_state_dict(before["optimizer"])
        step, used = before["step"], before["used"]
    learned = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    model.train()
    while used < minutes * 60 and step < len(order):
        began = time.monotonic()
        progress = max(used / (minutes * 60), step / len(order))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * min(step / warmup, 1.0) * max(0.02, 1 - progress)
        loss = loss_of(order[step])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        used += time.monotonic() - began
        running = 0.98 * running + 0.02 * float(loss.detach())
        if step % 20 == 0:
            rate = f"{used / 60:.1f} min  {used / step:.2f} s/step"
            print(f"step {step}/{len(order)}  {rate}  loss {running:.3f}", flush=True)
        if step % save_every == 0:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "used": used}
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)
            saved(step)
    return step, used
