// Our own client package against the shop, over a network that breaks.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OrderRefused, watchOrder } from 'emporion-live';
import WebSocket from 'ws';
import { Network, packAndUnpack, restart, scene, sleep, until } from './shop.mjs';

const [cut, twice, refused] = scene.orders;
const retry = { first: 50, longest: 400 };
let network;
before(async () => (network = await new Network().open()));
after(() => network.close());

/** A watch, and all that it says. */
function watching(order, more = {}) {
  const updates = [];
  const states = [];
  const gaps = [];
  const watch = watchOrder({
    url: network.store,
    orderId: order.id,
    accessToken: order.token,
    webSocketImpl: WebSocket,
    retry,
    onUpdate: (update) => updates.push(update),
    onState: (state, detail) => states.push([state, detail]),
    onGap: (gap) => gaps.push(gap),
    ...more,
  });
  return { watch, updates, states, gaps, sequences: () => updates.map(({ sequence }) => sequence) };
}

const upTo = (last) => Array.from({ length: last }, (_, at) => at + 1);

test('the present state comes first, then what happens', async () => {
  const { watch, updates, states, sequences } = watching(twice);
  await until('the present state', () => updates.length === 1);
  assert.equal(updates[0].event, null);
  assert.equal(updates[0].order.status, 'OPEN');
  assert.deepEqual(states.map(([state]) => state), ['connecting', 'live']);
  await packAndUnpack(twice.id);
  await until('two events', () => updates.length === 3);
  assert.deepEqual(sequences(), [2, 3, 4]);
  assert.equal(updates[1].event.kind, 'fulfillment.created');
  watch.close();
  await until('a goodbye', () => network.carried === 0);
});

test('what happened meanwhile is caught up with, and iterated over', async () => {
  const { watch, states } = watching(twice, { afterSequence: 0, selection: 'order { number }' });
  const seen = [];
  for await (const { sequence, order } of watch) {
    assert.ok(order.number > 0);
    seen.push(sequence);
    if (sequence === 4) break;
  }
  assert.deepEqual(seen, upTo(4));
  assert.equal(watch.state, 'closed');
  assert.deepEqual(states.slice(0, 2).map(([state]) => state), ['connecting', 'catching-up']);
  await until('a goodbye', () => network.carried === 0);
});

test('a right that is not there ends it without another try', async () => {
  for (const [more, code] of [
    [{ accessToken: 'nonsense' }, 'NOT_FOUND'],
    [{ accessToken: twice.token }, 'NOT_FOUND'],
    [{ credential: 'nonsense' }, 4403],
    [{ credential: () => 'nonsense' }, 4403],
    [{ region: 'atlantis' }, 4400],
    [{ selection: 'nonsense' }, 'DOCUMENT_INVALID'],
    [{ afterSequence: 99 }, 'INVALID'],
    [{ url: `${network.store.replace('/store/', '/admin/')}` }, 'DOCUMENT_INVALID'],
  ]) {
    const { watch, updates, states } = watching(refused, more);
    await assert.rejects(watch[Symbol.asyncIterator]().next(), (error) => {
      assert.ok(error instanceof OrderRefused);
      assert.equal(error.code, code, error.message);
      return true;
    });
    assert.equal(watch.state, 'refused');
    const tries = states.filter(([state]) => state === 'connecting').length;
    assert.equal(tries, 1, JSON.stringify(states));
    assert.deepEqual(updates, []);
  }
});

test('each event is told once and in order, whatever breaks', async () => {
  const rounds = 12;
  const watches = upTo(4).map(() => watching(cut, { afterSequence: 0, keepAlive: 1_000 }));
  const { watch: late, ...lately } = watching(cut);
  await until('a beginning', () => lately.updates.length > 0 && watches.every(({ updates }) => updates.length === 2));
  const staff = (async () => {
    for (let round = 0; round < rounds; round += 1) await packAndUnpack(cut.id);
  })();
  let working = true;
  const trouble = (async () => {
    while (working) {
      await sleep(30 + Math.random() * 150);
      network.cut(() => Math.random() < 0.5);
    }
  })();
  for (const how of ['kill', 'terminate', 'kill']) {
    await sleep(1_000);
    await restart(how);
  }
  await staff;
  working = false;
  await trouble;
  const all = watches.concat({ watch: late, ...lately });
  const end = 2 + 2 * rounds;
  await until('everybody is live', () => all.every(({ watch }) => watch.state === 'live' && watch.sequence === end));
  for (const { gaps, sequences, watch } of all) {
    assert.deepEqual(gaps, []);
    const told = sequences();
    assert.deepEqual(told, upTo(end).slice(told[0] - 1));
    watch.close();
  }
  assert.ok(watches.every(({ updates }) => updates[0].sequence === 1));
  const tries = all.flatMap(({ states }) => states).filter(([, { retryIn }]) => retryIn !== undefined);
  assert.ok(tries.length >= all.length * 3, 'connections did break');
});
