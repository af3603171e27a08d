"""The official library of Stripe, pointed at the fake of the tests: what it does of what our client does, and what it
makes of a signed event. Arguments: the address, the key, the secret of events, the header that signs the event. The
event comes in on the standard input. Fails when the fake answers otherwise than the library takes it."""

import sys

import stripe

address, key, secret, header = sys.argv[1:5]
payload = sys.stdin.buffer.read()
client = stripe.StripeClient(key, base_addresses={"api": address}, max_network_retries=0)
intents, refunds = client.v1.payment_intents, client.v1.refunds


def create(name, method="pm_card_visa", **more):
    params = {
        "amount": 4490,
        "currency": "eur",
        "confirm": True,
        "capture_method": "automatic",
        "payment_method": method,
        "return_url": "https://shop.example/pay",
        "automatic_payment_methods": {"enabled": True},
        "metadata": {"checkout": name},
        "expand": ["latest_charge"],
    }
    params.update(more)
    return intents.create(params, {"idempotency_key": name})


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


# Taken at once; the same key gives the same intent, other parameters none.
first = create("one")
assert first.status == "succeeded" and first.amount_received == 4490, first
assert create("one").id == first.id
refused(stripe.IdempotencyError, lambda: create("one", amount=4491))

# Promised, and a part taken.
promised = create("two", capture_method="manual")
assert promised.status == "requires_capture" and promised.amount_capturable == 4490, promised
taken = intents.capture(promised.id, {"amount_to_capture": 1000}, {"idempotency_key": "two:take"})
assert taken.status == "succeeded" and taken.amount_received == 1000, taken
again = intents.capture(promised.id, {"amount_to_capture": 1000}, {"idempotency_key": "two:take"})
assert again.id == taken.id and again.amount_received == 1000, again
error = refused(stripe.InvalidRequestError, lambda: intents.capture(promised.id, {"amount_to_capture": 1}))
assert error.code == "payment_intent_unexpected_state", error

# Given up.
given_up = create("three", capture_method="manual")
assert intents.cancel(given_up.id).status == "canceled"
refused(stripe.InvalidRequestError, lambda: intents.cancel(given_up.id))

# Given back in parts, and not beyond.
back = refunds.create({"payment_intent": first.id, "amount": 490}, {"idempotency_key": "one:back"})
assert back.status == "succeeded" and back.amount == 490, back
refused(stripe.InvalidRequestError, lambda: refunds.create({"payment_intent": first.id, "amount": 4001}))
refunds.create({"payment_intent": first.id, "amount": 4000})
looked_up = intents.retrieve(first.id, {"expand": ["latest_charge"]})
assert looked_up.latest_charge.amount_refunded == 4490 and looked_up.latest_charge.refunded, looked_up

# Declined, with the intent that stays behind.
error = refused(stripe.CardError, lambda: create("four", "pm_card_chargeDeclinedInsufficientFunds"))
assert error.json_body["error"]["decline_code"] == "insufficient_funds", error.json_body
left = intents.retrieve(error.json_body["error"]["payment_intent"]["id"])
assert left.status == "requires_payment_method" and left.last_payment_error.code == "card_declined", left

# The shopper is wanted, money is on its way, nobody is there.
action = create("five", "pm_card_authenticationRequired")
assert action.status == "requires_action" and action.next_action.redirect_to_url.url, action
assert create("six", "pm_usBankAccount_success").status == "processing"
assert refused(stripe.InvalidRequestError, lambda: intents.retrieve("pi_nobody")).code == "resource_missing"
found = intents.search({"query": "metadata['checkout']:'two'"})
assert [intent.id for intent in found.data] == [promised.id], found
refused(stripe.AuthenticationError, lambda: stripe.StripeClient(key + "x", base_addresses={"api": address}).v1.balance.retrieve())
assert client.v1.balance.retrieve().livemode is False

# A customer and what he saved: it pays for him alone.
customers = client.v1.customers
ada = customers.create({"metadata": {"customer": "ada"}}, {"idempotency_key": "ada"})
assert customers.create({"metadata": {"customer": "ada"}}, {"idempotency_key": "ada"}).id == ada.id
assert [found.id for found in customers.search({"query": "metadata['customer']:'ada'"}).data] == [ada.id]
create("seven", customer=ada.id, payment_method_options={"card": {"setup_future_usage": "on_session"}})
[kept] = customers.payment_methods.list(ada.id, {"limit": 100, "type": "card"}).data
assert kept.type == "card" and kept.card.last4 == "4242" and kept.customer == ada.id, kept
assert create("eight", kept.id, customer=ada.id).status == "succeeded"
eve = customers.create({})
refused(stripe.InvalidRequestError, lambda: create("nine", kept.id, customer=eve.id))
refused(stripe.InvalidRequestError, lambda: create("ten", kept.id))
assert client.v1.payment_methods.detach(kept.id).customer is None
assert customers.payment_methods.list(ada.id).data == []
assert customers.delete(ada.id).deleted is True
assert customers.retrieve(ada.id).deleted is True
refused(stripe.InvalidRequestError, lambda: customers.payment_methods.list(ada.id))

# A signed event.
event = stripe.Webhook.construct_event(payload, header, secret)
assert event.type == "payment_intent.succeeded", event
refused(stripe.SignatureVerificationError, lambda: stripe.Webhook.construct_event(payload + b" ", header, secret))
print("ok")
