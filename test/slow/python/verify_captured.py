"""Verifies captured deliveries with the packages of PyPI. Reads them as JSON, prints what each verifier said."""

import base64
import json
import sys

import hookrail.signing
import standardwebhooks
import svix.webhooks
from hookrail.signing import verify_signature

setting = json.load(sys.stdin)


def said(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return "ok"


def by_hookrail(request, secrets, **options):
    headers = {**request["headers"], **options.pop("headers", {})}
    body = options.pop("body", base64.b64decode(request["body"]))
    keys = [secret.encode() for secret in secrets]
    header, delivery = headers["hookrail-signature"], headers["hookrail-delivery-id"]
    return said(lambda: verify_signature(keys, header, delivery, body, **options))


def by_standard(request, secret, body=None):
    body = base64.b64decode(request["body"]) if body is None else body
    return [
        said(lambda: standardwebhooks.Webhook(secret).verify(body, request["headers"])),
        said(lambda: svix.webhooks.Webhook(secret).verify(body, request["headers"])),
    ]


request, secret = setting["request"], setting["secret"]
rotated, new_secret = setting["rotated"], setting["new_secret"]
other = "whsec_" + base64.b64encode(b"7" * 32).decode()
seconds = int(request["headers"]["webhook-timestamp"])
print(
    json.dumps(
        {
            "header": hookrail.signing.HEADER,
            "hookrail": by_hookrail(request, [secret]),
            "hookrail_any": by_hookrail(request, [other, secret]),
            "hookrail_tampered": by_hookrail(request, [secret], body=b"{}"),
            "hookrail_wrong_secret": by_hookrail(request, [other]),
            "hookrail_stale": by_hookrail(request, [secret], now=seconds + 301),
            "hookrail_early": by_hookrail(request, [secret], now=seconds - 301),
            "hookrail_edge": by_hookrail(request, [secret], now=seconds + 300),
            "hookrail_wrong_id": by_hookrail(
                request, [secret], headers={"hookrail-delivery-id": "dlv_other"}
            ),
            "hookrail_malformed": by_hookrail(
                request, [secret], headers={"hookrail-signature": "t=x,v1=00"}
            ),
            "hookrail_rotated": [
                by_hookrail(rotated, [secret]),
                by_hookrail(rotated, [new_secret]),
                by_hookrail(rotated, [new_secret, secret]),
            ],
            "standard": by_standard(request, secret),
            "standard_tampered": by_standard(request, secret, b"{}"),
            "standard_wrong_secret": by_standard(request, other),
            "standard_rotated": [by_standard(rotated, secret), by_standard(rotated, new_secret)],
        }
    )
)
