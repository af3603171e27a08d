// The older websocket protocol, by the library that it comes from.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SubscriptionClient } from 'subscriptions-transport-ws';
import WebSocket from 'ws';
import { packAndUnpack, restart, scene, socket, until, watching } from './shop.mjs';

const [live, cut] = scene.orders;

function client(more = {}, connected = undefined) {
  const options = { ...more, connectionCallback: connected };
  return new SubscriptionClient(socket(scene.store), options, WebSocket);
}

/** All that an operation tells, as it comes. */
function listen(client, payload) {
  const told = { next: [], errors: [], complete: false };
  told.leave = client.request(payload).subscribe({
    next: (result) => told.next.push(result),
    error: (error) => told.errors.push(error),
    complete: () => (told.complete = true),
  }).unsubscribe;
  return told;
}

test('queries and mutations run', async () => {
  const asked = client();
  const query = listen(asked, { query: '{ __typename }' });
  const mutation = listen(asked, { query: 'mutation { cartCreate(input: {}) { userErrors { code } } }' });
  await until('answers', () => query.complete && mutation.complete);
  assert.deepEqual(query.next, [{ data: { __typename: 'Query' } }]);
  assert.deepEqual(mutation.next, [{ data: { cartCreate: { userErrors: [] } } }]);
  asked.close();
});

test('a subscription tells what happens, until it is left', async () => {
  const asked = client();
  const told = listen(asked, watching(live));
  await until('the present state', () => told.next.length === 1);
  await packAndUnpack(live.id);
  await until('two events', () => told.next.length === 3);
  assert.deepEqual(told.next.map(({ data }) => data.orderUpdated.sequence), [2, 3, 4]);
  told.leave();
  await packAndUnpack(live.id);
  const after = listen(asked, { query: '{ __typename }' });
  await until('an answer', () => after.complete);
  assert.equal(told.next.length, 3);
  asked.close();
});

test('what is refused is an error of its operation', async () => {
  const asked = client();
  const wrong = listen(asked, { query: '{ nonsense }' });
  const stranger = listen(asked, watching({ id: live.id, token: 'nonsense' }));
  await until('errors', () => wrong.errors.length > 0 && stranger.errors.length > 0);
  assert.match(wrong.errors[0].message, /nonsense/);
  assert.equal(stranger.errors[0].message, 'There is no such order.');
  asked.close();
});

test('a credential that is refused is an error of the connection', async () => {
  const errors = [];
  const asked = client({ connectionParams: { Authorization: 'Bearer nonsense' } }, (error) => errors.push(error));
  await until('an error', () => errors.length > 0);
  assert.equal(errors[0].message, 'This needs a credential.');
  asked.close();
});

test('a client that comes back goes on', async () => {
  const asked = client({ reconnect: true, minTimeout: 2_000 });
  const told = listen(asked, watching(cut));
  await until('the present state', () => told.next.length === 1);
  await restart('kill');
  asked.url = socket(scene.store);
  await until('the present state again', () => told.next.length === 2);
  await packAndUnpack(cut.id);
  await until('two events', () => told.next.length === 4);
  assert.deepEqual(told.next.map(({ data }) => data.orderUpdated.sequence), [2, 2, 3, 4]);
  asked.close();
});
