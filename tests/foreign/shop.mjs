// What the programs here share: the shop that the test has started, its staff,
// and a network between the two that can be cut.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** The addresses, credentials and orders that the test hands over. */
export const scene = JSON.parse(process.env.EMPORION_TEST_SCENE);

/** The address of a socket for an address of HTTP. */
export const socket = (url) => url.replace(/^http/, 'ws');

export const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** Waits until something is so. */
export async function until(what, condition, within = 30_000) {
  const deadline = Date.now() + within;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}`);
    await sleep(20);
  }
}

/** Sends an operation as the shop's owner; again, should the shop be away: an idempotency key makes it count once. */
export async function asOwner(query, variables = {}) {
  let body;
  await until('the shop answers its owner', async () => {
    try {
      const response = await fetch(scene.admin, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${scene.owner}` },
        body: JSON.stringify({ query, variables }),
      });
      body = await response.json();
      return true;
    } catch {
      return false;
    }
  });
  const { data, errors } = body;
  if (errors) throw new Error(JSON.stringify(errors));
  const [payload] = Object.values(data);
  if (payload.userErrors?.length) throw new Error(JSON.stringify(payload.userErrors));
  return payload;
}

/** Packs an order and unpacks it: two events, and all is as before. */
export async function packAndUnpack(orderId) {
  const packed = await asOwner(
    `mutation($input: AdminFulfillmentCreateInput!) { fulfillmentCreate(input: $input) {
      fulfillment { id } userErrors { code message } } }`,
    { input: { idempotencyKey: crypto.randomUUID(), orderId } },
  );
  await asOwner(
    `mutation($input: AdminFulfillmentCancelInput!) { fulfillmentCancel(input: $input) { userErrors { code message } } }`,
    { input: { idempotencyKey: crypto.randomUUID(), id: packed.fulfillment.id } },
  );
}

/** The subscription of one order's sequences, as a client sends it. */
export function watching(order, afterSequence) {
  const query = `subscription ($id: ID!, $token: String, $after: Int64) {
    orderUpdated(orderId: $id, accessToken: $token, afterSequence: $after) { sequence event { kind } } }`;
  return { query, variables: { id: order.id, token: order.token, after: afterSequence } };
}

/** A connection by server-sent events, or a refusal, in full. */
export async function ask(url, options = {}) {
  const response = await fetch(url, options);
  return { status: response.status, kind: response.headers.get('content-type'), text: await response.text() };
}

let answers;

/**
 * Has the test end the shop's process, by `kill` or by `terminate`, and start
 * another one at once. Its addresses are other ones afterwards.
 */
export async function restart(how) {
  answers ??= createInterface({ input: process.stdin });
  process.stdout.write(`${how}\n`);
  const [line] = await once(answers, 'line');
  Object.assign(scene, JSON.parse(line));
  answers.close();
  answers = undefined;
}

/** A network before the shop: an address that stays when the shop's changes. */
export class Network {
  #pairs = new Set();
  #server = createServer((near) => {
    const { hostname, port } = new URL(scene.store);
    const far = connect(Number(port), hostname);
    const pair = [near, far];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      for (const side of pair) side.destroy();
    };
    for (const side of pair) side.setNoDelay().on('error', end).on('close', end);
    near.pipe(far).pipe(near);
  });

  /** Begins to carry; `store` is the shop's address behind it. */
  async open() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.store = `http://127.0.0.1:${this.#server.address().port}/store/graphql`;
    return this;
  }

  /** How many connections it carries. */
  get carried() {
    return this.#pairs.size;
  }

  /** Cuts those connections of which this says so. */
  cut(which = () => true) {
    for (const pair of [...this.#pairs]) if (which()) for (const side of pair) side.resetAndDestroy();
  }

  close() {
    this.#server.close();
    this.cut();
  }
}
