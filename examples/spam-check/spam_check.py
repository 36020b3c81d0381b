#!/usr/bin/env python3
"""Holds comments that look like spam, until a moderator has read them.

Follows the events `comment-posted` and `comment-edited` of Koe from where it stopped the last time, judges the words by a
list, and asks Koe to hold what it suspects. The list is a toy; what is around it is what such a service needs.
"""

import argparse
import asyncio
import hashlib
import json
import logging
import os
import re
import signal
import uuid
from pathlib import Path

import nats
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

STREAM = "KOE_EVENTS"
SUBJECTS = ["koe.v1.event.*.*.*.comment-posted", "koe.v1.event.*.*.*.comment-edited"]
ACTOR = {"id": "spam-check", "roles": ["ROLE_SERVICE"]}
BATCH = 100  # events asked for at once
WAIT_SECS = 5  # how long an empty stream is waited for before asking again
ATTEMPTS_MAX = 10  # then the process ends, and goes on where it was when it is started again
PAUSE_SECS_MAX = 10
log = logging.getLogger("spam-check")


# ---- what happened: the few fields of proto/koe/v1/event.proto that matter here ----


def fields(data):
    """The fields of a protobuf message by number; of one that comes twice, the last."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
            if byte < 0x80:
                return value

    while at < len(data):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            found[number] = varint()
        else:  # of fixed length, or led by its length
            length = {1: 8, 5: 4}.get(kind) or varint()
            found[number], at = data[at:at + length], at + length
    return found


def words_of(subject, data):
    """What an event says: its id, its time in milliseconds, where, which comment, and the text."""
    _, _, _, site, _, thread, kind = subject.split(".")
    envelope = fields(data)
    event_id, time = envelope[1].decode(), fields(envelope[2])
    millis = time.get(1, 0) * 1000 + time.get(2, 0) // 1_000_000
    if kind == "comment-posted":  # its id is the comment's too
        comment, text = event_id, fields(envelope[5])[2].decode()
    else:
        edited = fields(envelope[7])
        comment, text = edited[1].decode(), edited[3].decode()
    return event_id, millis, site, thread, comment, text


# ---- the judgement ----


def suspicious(text, words):
    """The first word of the list that the text holds, or None."""
    said = set(re.findall(r"\w+", text.casefold()))
    return next((word for word in words if word in said), None)


# ---- what is asked ----


def command_id(event_id, millis):
    """A UUIDv7 made of the event alone: the same event leads to the same command, which Koe carries out once."""
    digest = hashlib.sha256(b"spam-check hold " + event_id.encode()).digest()
    bits = (millis << 80) | int.from_bytes(digest[:10], "big")
    bits = bits & ~(0xF << 76) | 7 << 76  # the version
    bits = bits & ~(0x3 << 62) | 2 << 62  # the variant
    return str(uuid.UUID(int=bits))


async def hold(connection, event, word):
    """Asks Koe to hold a comment, until there is an answer."""
    event_id, millis, site, thread, comment, _ = event
    request = {"id": command_id(event_id, millis), "actor": ACTOR, "thread": thread, "comment": comment,
               "reason": f"It may be spam: {word}"}
    subject, body = f"koe.v1.command.{site}.hold-comment", json.dumps(request).encode()
    for attempt in range(ATTEMPTS_MAX):
        try:
            answer = await connection.request(subject, body, timeout=10, headers={"content-type": "application/json"})
        except (NatsTimeout, NoRespondersError) as error:
            code, why = 503, repr(error)
        else:
            code = int((answer.headers or {}).get("Nats-Service-Error-Code", 200))
            why = json.loads(answer.data).get("code", "held")
        if code != 429 and code < 500:
            # A refusal is an answer too: somebody else held, removed or deleted the comment.
            log.info("comment %s in %s/%s: %s", comment, site, thread, why)
            return
        log.warning("%s: %s, trying again with the same id", subject, why)
        await asyncio.sleep(min(2**attempt / 4, PAUSE_SECS_MAX))
    raise SystemExit(f"spam-check: {subject} was not answered {ATTEMPTS_MAX} times")


# ---- the log ----


def write_position(path, sequence):
    """Puts the new position in the place of the old one in one step, so that a crash leaves either."""
    new = path.with_name(path.name + ".new")
    with open(new, "w", encoding="ascii") as file:
        file.write(f"{sequence}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


async def deal_with(connection, message, words):
    try:
        event = words_of(message.subject, message.data)
    except (KeyError, IndexError, ValueError) as error:
        log.error("what stands under %s cannot be read: %r", message.subject, error)
        return
    word = suspicious(event[-1], words)
    if word:
        await hold(connection, event, word)


async def follow(connection, position_file, words):
    """Reads the log from the event after the position. A consumer that breaks is made again from there."""
    position = int(position_file.read_text()) if position_file.exists() else 0
    while True:
        # It acknowledges nothing: the position in the file is all that is remembered.
        config = ConsumerConfig(filter_subjects=SUBJECTS, deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                                opt_start_seq=position + 1, ack_policy=AckPolicy.NONE, inactive_threshold=60)
        try:
            events = await connection.jetstream().pull_subscribe("", stream=STREAM, config=config)
            log.info("following from sequence %d", position + 1)
            seen = 0
            while True:
                try:
                    messages = await events.fetch(BATCH, timeout=WAIT_SECS)
                except NatsTimeout:
                    # Nothing new, or lost on its way while the connection broke: the consumer counts what it sent.
                    messages, sent = [], (await events.consumer_info()).delivered.consumer_seq
                    if sent != seen:
                        raise nats.errors.Error(f"{sent - seen} events were lost on their way")
                for message in messages:
                    seen += 1
                    if message.metadata.sequence.consumer != seen:
                        raise nats.errors.Error("events were lost on their way")
                    await deal_with(connection, message, words)
                    # Only now: an event that was not dealt with comes again.
                    position = message.metadata.sequence.stream
                    write_position(position_file, position)
        except (nats.errors.Error, OSError) as error:
            log.warning("the log cannot be read: %r, trying again", error)
            await asyncio.sleep(1)


async def run(options):
    words = [line.strip().casefold() for line in options.words.read_text(encoding="utf-8").splitlines()]
    words = [word for word in words if word and not word.startswith("#")]

    async def complain(error):
        log.warning("the broker: %r", error)

    connection = await nats.connect(options.nats, name="spam-check", max_reconnect_attempts=-1, error_cb=complain)
    following = asyncio.ensure_future(follow(connection, options.position, words))
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, following.cancel)
    try:
        await following
    except asyncio.CancelledError:
        log.info("stopped")
    finally:
        await connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nats", metavar="URL", default=os.environ.get("NATS_URL", "nats://127.0.0.1:4222"),
                        help="the broker, its token before the @ (default: NATS_URL, else nats://127.0.0.1:4222)")
    parser.add_argument("--position", metavar="FILE", type=Path, default=Path("spam-check.position"),
                        help="keeps the sequence of the event that was dealt with last (default: %(default)s)")
    parser.add_argument("--words", metavar="FILE", type=Path, default=Path(__file__).with_name("words.txt"),
                        help="suspicious words, one in a line (default: words.txt beside this file)")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
