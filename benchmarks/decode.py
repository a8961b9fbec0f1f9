"""Reading a payload: our decoder against the JSON parser under it.

devalue on top of JSON has to rebuild every object, so 1 is the floor of this ratio.
"""

from __future__ import annotations

import json
from pathlib import Path
from timeit import repeat

from glossary.payload import devalue


PAYLOADS = Path(__file__).parent.parent / "fixtures" / "glossary"


def run() -> None:
    texts = [path.read_text() for path in sorted(PAYLOADS.glob("*/_payload.json"))]
    parse = best(lambda: [json.loads(text) for text in texts])
    decode = best(lambda: [devalue.loads(text) for text in texts])
    print(f"  {len(texts)} payloads of {sum(map(len, texts)) // len(texts)} characters")
    print(f"  json.loads      {parse / len(texts) * 1e6:8.0f} µs a payload")
    print(f"  devalue.loads   {decode / len(texts) * 1e6:8.0f} µs a payload")
    print(f"  ratio           {decode / parse:8.1f}")


def best(action: object, number: int = 5) -> float:
    """The shortest of several times, in seconds a call."""
    return min(repeat(action, number=number, repeat=5)) / number
