"""What a producer does with hookrail's own client. Reads its setting as JSON, prints what came of each step as JSON."""

import asyncio
import json
import sys
import time

import hookrail
from hookrail import AsyncHookrail, Hookrail, RetryPolicy

setting = json.load(sys.stdin)
url, key = setting["url"], setting["key"]
results = {}


def fails(call):
    """The class of what it raises, with what the class says of it."""
    try:
        call()
    except hookrail.HookrailError as error:
        cause = error.__cause__
        return {
            "error": type(error).__name__,
            "status": getattr(error, "status", None),
            "title": getattr(getattr(error, "problem", None), "title", None),
            "cause": type(cause).__name__ if cause is not None else None,
            "cause_status": getattr(cause, "status", None),
            "retry_after": getattr(cause, "retry_after", None),
        }
    return {"error": None}


def accepted(answer):
    return {
        "event_id": answer.event_id,
        "delivery_ids": answer.delivery_ids,
        "replayed": answer.replayed,
    }


def until_succeeded(client, event_id):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status = client.get_event(event_id)
        states = [delivery.state for delivery in status.deliveries]
        if states and all(state == hookrail.DeliveryState.succeeded for state in states):
            return status
        time.sleep(0.05)
    raise TimeoutError(f"event {event_id} did not succeed: {states}")


with Hookrail(key, url) as client:
    sent = client.send_event("orders.created", {"id": 1, "name": "José 😀"})
    results["send"] = accepted(sent)
    status = until_succeeded(client, sent.event_id)
    results["status"] = status.model_dump(mode="json")
    results["unmatched"] = accepted(client.send_event("nobody.listens", {"id": 1}))
    unmatched = client.get_event(results["unmatched"]["event_id"])
    results["unmatched_status"] = unmatched.model_dump(mode="json")

    first = client.send_event("orders.created", {"id": 2}, idempotency_key="k2")
    again = client.send_event("orders.created", {"id": 2}, idempotency_key="k2")
    results["replay"] = [accepted(first), accepted(again)]
    results["conflict_payload"] = fails(
        lambda: client.send_event("orders.created", {"id": 3}, idempotency_key="k2")
    )
    results["conflict_topic"] = fails(
        lambda: client.send_event("orders.paid", {"id": 2}, idempotency_key="k2")
    )
    for name, payload in {"scalar": 1, "null": None, "list": [1], "text": "x"}.items():
        results[f"payload_{name}"] = accepted(client.send_event("orders.created", payload))
    results["nan"] = fails(lambda: client.send_event("orders.created", {"x": float("nan")}))
    results["unknown_event"] = fails(lambda: client.get_event("evt_01jzzzzzzzzzzzzzzzzzzzzzzz"))
    results["no_id"] = fails(lambda: client.get_event("no id at all"))
    results["too_large"] = fails(lambda: client.send_event("orders.created", "x" * 262_145))
    results["body_too_large"] = fails(lambda: client.send_event("orders.created", "x" * 300_000))

results["wrong_key"] = fails(lambda: Hookrail("hk_" + "0" * 48, url).send_event("orders.created", 1))
results["prefix"] = fails(lambda: Hookrail(key, url + "/elsewhere").send_event("orders.created", 1))
results["no_server"] = fails(
    lambda: Hookrail(key, setting["closed_url"], retries=0).send_event("orders.created", 1)
)
results["bad_url"] = fails(lambda: Hookrail(key, "ftp://a"))


async def use_async_client():
    async with AsyncHookrail(key, url) as client:
        sent = await client.send_event("orders.created", {"id": 4}, idempotency_key="k4")
        again = await client.send_event("orders.created", {"id": 4}, idempotency_key="k4")
        status = await client.get_event(sent.event_id)
        results["async"] = [accepted(sent), accepted(again), status.topic]
        try:
            await client.send_event("orders.created", {"id": 5}, idempotency_key="k4")
        except hookrail.ConflictError as error:
            results["async_conflict"] = error.status
        many = await asyncio.gather(
            *(client.send_event("orders.created", {"id": 6}, idempotency_key="k6") for _ in range(20))
        )
        results["async_many"] = [len({one.event_id for one in many}), sum(one.replayed for one in many)]


asyncio.run(use_async_client())

# Behind a front that answers some requests itself; the path says how.
fast = RetryPolicy(base=0.01, cap=1.0)
for name in ["503", "429", "500", "drop"]:
    client = Hookrail(key, f"{setting['front']}/{name}", policy=fast)
    results[f"front_{name}"] = accepted(client.send_event("orders.created", {"front": name}))
for name in ["429", "503", "403", "422"]:
    client = Hookrail(key, f"{setting['front']}/always-{name}", policy=RetryPolicy(max_retries=1, base=0.01))
    results[f"always_{name}"] = fails(lambda: client.send_event("orders.created", {"front": name}))
stalled = Hookrail(key, f"{setting['front']}/stall", retries=0)
results["stall"] = fails(lambda: stalled.send_event("orders.created", 1, timeout=0.3))

# The server's own limit and scopes of a key.
limited = setting["limitedKey"]
client = Hookrail(limited, url, retries=0)
errors = [fails(lambda: client.send_event("orders.created", {"n": n})) for n in range(20)]
results["limited"] = [error.get("cause") for error in errors]
results["limited_later"] = accepted(Hookrail(limited, url).send_event("orders.created", {"n": 9}))
scoped = Hookrail(setting["scopedKey"], url)
results["scoped"] = accepted(scoped.send_event("orders.created", {"n": 1}))
results["out_of_scope"] = fails(lambda: scoped.send_event("invoices.sent", {"n": 1}))

print(json.dumps(results))
