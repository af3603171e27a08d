// Server-sent events as clients meet them that others wrote: `graphql-sse`, and
// an `EventSource` as browsers have it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EventSource } from 'eventsource';
import { createClient, NetworkError } from 'graphql-sse';
import { ask, Network, packAndUnpack, restart, scene, sleep, until, watching } from './shop.mjs';

const [live, cut, browser] = scene.orders;

function client(more = {}) {
  return createClient({ url: scene.store, retryAttempts: 0, ...more });
}

async function all(results) {
  const found = [];
  for await (const result of results) found.push(result);
  return found;
}

function address(parameters, url = scene.store) {
  return `${url}?${new URLSearchParams(parameters)}`;
}

const stream = { accept: 'text/event-stream' };

describe('graphql-sse', { concurrency: true }, () => {
  test('a query runs', async () => {
    const query = 'query A { __typename } query B($first: Int!) { products(first: $first) { nodes { __typename } } }';
    const payload = { query, operationName: 'B', variables: { first: 1 }, extensions: { any: 1 } };
    assert.deepEqual(await all(client().iterate(payload)), [{ data: { products: { nodes: [{ __typename: 'Product' }] } } }]);
    const nothing = { query: '{ __typename }', operationName: null, variables: null, extensions: null };
    assert.deepEqual(await all(client().iterate(nothing)), [{ data: { __typename: 'Query' } }]);
  });

  test('a mutation runs', async () => {
    const query = 'mutation { cartCreate(input: {}) { cart { totalQuantity } userErrors { code } } }';
    const made = { data: { cartCreate: { cart: { totalQuantity: 0 }, userErrors: [] } } };
    assert.deepEqual(await all(client().iterate({ query })), [made]);
  });

  test('a subscription tells what happens, over silences too', async () => {
    const seen = [];
    const leave = client().subscribe(watching(live), {
      next: ({ data }) => seen.push(data.orderUpdated),
      error: (error) => seen.push(error),
      complete: () => seen.push('complete'),
    });
    await until('the present state', () => seen.length === 1);
    assert.deepEqual(seen, [{ sequence: 2, event: null }]);
    // The server says every 12 seconds that it is there.
    await sleep(13_000);
    await packAndUnpack(live.id);
    await until('two events', () => seen.length === 3);
    assert.deepEqual(seen.slice(1).map(({ sequence }) => sequence), [3, 4]);
    leave();
    await until('an end', () => seen.length === 4);
    assert.equal(seen[3], 'complete');
  });

  test('what is wrong with an operation is a result, told once', async () => {
    for (const [payload, told, code] of [
      [{ query: '{' }, '', 'DOCUMENT_INVALID'],
      [{ query: '{ nonsense }' }, 'nonsense', 'DOCUMENT_INVALID'],
      [{ query: 'subscription { nonsense }' }, 'nonsense', 'DOCUMENT_INVALID'],
      [watching({ id: live.id, token: 'nonsense' }), 'There is no such order.', 'NOT_FOUND'],
      [watching(live, 99), 'its last sequence is', 'INVALID'],
    ]) {
      let connections = 0;
      // With the retries that the library has unless told otherwise.
      const asked = client({ retryAttempts: 5, on: { connecting: () => (connections += 1) } });
      const [result, ...more] = await all(asked.iterate(payload));
      assert.ok(result.errors[0].message.includes(told), result.errors[0].message);
      assert.equal(result.errors[0].extensions?.code, code);
      assert.deepEqual(more, []);
      assert.ok(connections <= 1);
    }
  });

  test('who is not let in is told by the status', async () => {
    const asked = client({ headers: { authorization: 'Bearer nonsense' } });
    await assert.rejects(all(asked.iterate({ query: '{ __typename }' })), (error) => {
      return error instanceof NetworkError && error.response.status === 401;
    });
    const { status, kind, text } = await ask(scene.store, {
      method: 'POST',
      headers: { ...stream, 'content-type': 'application/json', authorization: 'Bearer nonsense' },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    assert.equal(status, 401);
    assert.match(kind, /^application\/json/);
    assert.equal(JSON.parse(text).errors[0].extensions.code, 'UNAUTHENTICATED');
  });

  test('one connection for several operations is not offered', async () => {
    const asked = client({ singleConnection: true });
    await assert.rejects(all(asked.iterate({ query: '{ __typename }' })), (error) => error.response.status === 405);
  });

  test('operations come by address as well, except mutations', async () => {
    const query = 'query($first: Int!) { products(first: $first) { nodes { __typename } } }';
    const asked = await ask(address({ query, variables: '{"first":1}', extensions: '{}' }), { headers: stream });
    assert.equal(asked.status, 200);
    assert.match(asked.kind, /^text\/event-stream/);
    const result = { data: { products: { nodes: [{ __typename: 'Product' }] } } };
    assert.equal(asked.text, `event: next\ndata: ${JSON.stringify(result)}\n\nevent: complete\ndata: \n\n`);
    const mutation = 'mutation { cartCreate(input: {}) { cart { id } } }';
    assert.equal((await ask(address({ query: mutation }), { headers: stream })).status, 405);
    assert.equal((await ask(address({ query: '{ __typename }' }))).status, 200, 'who wants no stream gets a page');
    for (const wrong of [{}, { query, variables: '[]' }, { query, variables: '{' }, { query, extensions: '1' }]) {
      const refused = await ask(address(wrong), { headers: stream });
      assert.equal(refused.status, 400);
      assert.equal(JSON.parse(refused.text).errors[0].extensions.code, 'INVALID');
    }
    const form = { method: 'POST', headers: { ...stream, 'content-type': 'text/plain' }, body: '{}' };
    assert.equal((await ask(scene.store, form)).status, 415);
  });
});

describe('events, when connections break', () => {
  let network;
  before(async () => (network = await new Network().open()));
  after(() => network.close());

  test('graphql-sse resumes by Last-Event-ID when the server was killed', async () => {
    const seen = [];
    // The library hands over no ids: for an order, the sequence is the id.
    const headers = () => (seen.length > 0 ? { 'last-event-id': String(seen.at(-1)) } : {});
    const asked = client({ url: network.store, headers, retryAttempts: 20, retry: () => sleep(200) });
    const leave = asked.subscribe(watching(cut, 0), {
      next: ({ data }) => seen.push(data.orderUpdated.sequence),
      error: (error) => seen.push(error),
      complete: () => {},
    });
    await until('the first events', () => seen.length === 2);
    for (const how of ['kill', 'terminate']) {
      const told = seen.length;
      await restart(how);
      await packAndUnpack(cut.id);
      await until('the events behind', () => seen.length >= told + 2);
      network.cut();
      await packAndUnpack(cut.id);
      await until('the events behind the cut', () => seen.length >= told + 4);
    }
    assert.deepEqual(seen, Array.from({ length: 10 }, (_, at) => at + 1));
    leave();
  });

  test('an EventSource resumes by itself', async () => {
    const { query, variables } = watching(browser, 0);
    const source = new EventSource(address({ query, variables: JSON.stringify(variables) }, network.store));
    const seen = [];
    source.addEventListener('next', ({ data, lastEventId }) => {
      const { sequence } = JSON.parse(data).data.orderUpdated;
      assert.equal(lastEventId, String(sequence));
      seen.push(sequence);
    });
    await until('the first events', () => seen.length === 2);
    network.cut();
    await packAndUnpack(browser.id);
    await until('the events behind', () => seen.length >= 4);
    assert.deepEqual(seen, [1, 2, 3, 4]);
    source.close();
  });

  test('an EventSource is told that an operation is complete', async () => {
    const source = new EventSource(address({ query: '{ nonsense }' }, network.store));
    const told = [];
    source.addEventListener('next', ({ data }) => told.push(JSON.parse(data).errors[0].message));
    source.addEventListener('complete', ({ data }) => {
      told.push(data);
      source.close();
    });
    await until('an end', () => told.length === 2);
    assert.match(told[0], /nonsense/);
    assert.equal(told[1], '');
  });
});
