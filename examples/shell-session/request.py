#!/usr/bin/env python3
"""Sends one JSON request and prints the answer: request.py SUBJECT JSON.

What `nats request --raw` does, for machines without it. Reads the broker's address from NATS_URL, its token before the
@. An error is an answer too: its code stands in the body, so that it is printed like any other.
"""

import asyncio
import os
import sys

import nats


async def quiet(_):
    """What goes wrong is told once, below."""


async def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    subject, body = sys.argv[1:]
    url = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
    try:
        connection = await asyncio.wait_for(nats.connect(url, error_cb=quiet), timeout=5)
    except (OSError, asyncio.TimeoutError, nats.errors.Error) as error:
        sys.exit(f"request.py: no broker answers at NATS_URL: {error!r}")
    try:
        headers = {"content-type": "application/json"}
        answer = await connection.request(subject, body.encode(), timeout=10, headers=headers)
        print(answer.data.decode())
    except nats.errors.NoRespondersError:
        sys.exit(f"request.py: nobody answers on {subject}; is Koe running?")
    except nats.errors.TimeoutError:
        sys.exit(f"request.py: no answer on {subject} within ten seconds; send the same again")
    finally:
        await connection.close()


asyncio.run(main())
