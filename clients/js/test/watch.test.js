import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { OrderRefused, documentsOf, watchOrder } from 'emporion-live';
import { settle, shop } from './shop.js';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** A watch of a shop, and all that it says. */
async function watching(more = {}) {
  const { sockets, Socket, last } = shop();
  const updates = [];
  const states = [];
  const gaps = [];
  const watch = watchOrder({
    url: 'https://shop.example/store/graphql',
    orderId: 'order_1',
    accessToken: 'token',
    webSocketImpl: Socket,
    onUpdate: ({ sequence }) => updates.push(sequence),
    onState: (state, detail) => states.push([state, detail]),
    onGap: (gap) => gaps.push(gap),
    ...more,
  });
  await settle();
  const names = () => states.map(([state]) => state).filter((state, at, all) => state !== all[at - 1]);
  return { watch, sockets, last, updates, states, names, gaps };
}

/** Lets the pause before the next connection pass. */
async function pause(states) {
  const [state, { retryIn }] = states.at(-1);
  assert.equal(state, 'connecting');
  mock.timers.tick(retryIn);
  await settle();
}

test('the first update tells the present state, the next what happens', async () => {
  const { watch, sockets, last, updates, names } = await watching();
  assert.equal(last().url, 'wss://shop.example/store/graphql');
  assert.equal(last().protocol, 'graphql-transport-ws');
  await last().greet();
  assert.equal(last().asked.length, 1);
  assert.deepEqual(last().asked[0].payload.variables, {
    orderId: 'order_1',
    accessToken: 'token',
    afterSequence: null,
  });
  assert.deepEqual(names(), ['connecting']);
  last().tell(4);
  assert.deepEqual(names(), ['connecting', 'live']);
  last().tell(5, 6);
  assert.deepEqual(updates, [4, 5, 6]);
  assert.equal(watch.sequence, 6);
  assert.equal(sockets.length, 1);
  watch.close();
});

test('a lost connection is taken up behind the last update, and what comes twice is told once', async () => {
  const { watch, sockets, last, updates, states, names } = await watching();
  await last().greet();
  last().tell(1, 2);
  last().end(1006);
  await settle();
  assert.equal(sockets.length, 1, 'not without a pause');
  await pause(states);
  assert.equal(sockets.length, 2);
  await last().greet();
  assert.equal(last().asked[0].payload.variables.afterSequence, 2);
  assert.equal(last().asked[1].payload.variables.afterSequence, null);
  last().tell(2, 3);
  assert.equal(watch.state, 'catching-up');
  last().stands(4);
  assert.equal(watch.state, 'catching-up');
  assert.equal(last().sent.at(-1).type, 'complete', 'that question needs no second answer');
  last().tell(4, 4, 3, 5);
  assert.equal(watch.state, 'live');
  assert.deepEqual(updates, [1, 2, 3, 4, 5]);
  assert.deepEqual(names(), ['connecting', 'live', 'connecting', 'catching-up', 'live']);
  watch.close();
});

test('who missed nothing is live at once', async () => {
  const { watch, last, names, updates } = await watching({ afterSequence: 7 });
  await last().greet();
  assert.equal(last().asked[0].payload.variables.afterSequence, 7);
  last().stands(7);
  assert.deepEqual(names(), ['connecting', 'live']);
  assert.deepEqual(updates, []);
  watch.close();
});

test('a connection that broke before the first update asks for the present state again', async () => {
  const { watch, last, states } = await watching();
  await last().greet();
  last().end(1001);
  await settle();
  await pause(states);
  await last().greet();
  assert.equal(last().asked[0].payload.variables.afterSequence, null);
  watch.close();
});

test('what the shop leaves out is said', async () => {
  const { watch, last, gaps, updates } = await watching({ afterSequence: 1 });
  await last().greet();
  last().tell(2, 5, 6);
  assert.deepEqual(gaps, [{ after: 2, next: 5 }]);
  assert.deepEqual(updates, [2, 5, 6]);
  watch.close();
});

test('what the shop leaves out is said on the console when nobody asks', async () => {
  const said = mock.method(console, 'error', () => {});
  const { watch, last } = await watching({ afterSequence: 0, onGap: undefined });
  await last().greet();
  last().tell(2);
  assert.match(said.mock.calls[0].arguments[0], /told 2 next to 0/);
  watch.close();
});

test('pauses double up to the longest, by chance down to half, and an update makes them short again', async () => {
  const chance = mock.method(Math, 'random', () => 0);
  const { watch, last, states } = await watching({ retry: { first: 100, longest: 1000 } });
  const pauses = [];
  for (let time = 0; time < 6; time += 1) {
    await last().greet();
    last().end(1006);
    await settle();
    pauses.push(states.at(-1)[1].retryIn);
    await pause(states);
  }
  assert.deepEqual(pauses, [100, 200, 400, 800, 1000, 1000]);
  assert.equal(states.at(-1)[1].attempt, 6);
  chance.mock.mockImplementation(() => 0.9999);
  await last().greet();
  last().end(1006);
  await settle();
  assert.equal(states.at(-1)[1].retryIn, 500);
  await pause(states);
  await last().greet();
  last().tell(1);
  last().end(1006);
  await settle();
  assert.equal(states.at(-1)[1].retryIn, 50);
  watch.close();
});

test('what it sends can be told beforehand', async () => {
  for (const more of [{}, { selection: 'order { number }' }, { document: 'subscription { mine }' }]) {
    const { watch, last } = await watching({ ...more, afterSequence: 0 });
    await last().greet();
    assert.deepEqual(last().asked.map(({ payload }) => payload.query), documentsOf(more));
    watch.close();
  }
});

for (const code of ['NOT_FOUND', 'UNAUTHENTICATED', 'FORBIDDEN', 'INVALID', 'DOCUMENT_INVALID', 'DOCUMENT_NOT_TRUSTED', undefined]) {
  test(`an error with the code ${code} ends it`, async () => {
    const { watch, sockets, last, states } = await watching();
    await last().greet();
    last().refuse(code, 'There is no such order.');
    await settle();
    const detail = code === undefined ? {} : { code };
    assert.deepEqual(states.at(-1), ['refused', { reason: 'There is no such order.', ...detail }]);
    mock.timers.tick(1e6);
    await settle();
    assert.equal(sockets.length, 1);
    assert.equal(watch.state, 'refused');
    assert.equal(last().readyState, 3, 'no connection is left');
  });
}

for (const code of [4400, 4401, 4403, 4406, 4409, 4429]) {
  test(`the close code ${code} ends it`, async () => {
    const { sockets, last, states } = await watching();
    last().end(code, 'This needs a credential.');
    await settle();
    assert.deepEqual(states.at(-1), ['refused', { reason: 'This needs a credential.', code }]);
    mock.timers.tick(1e6);
    await settle();
    assert.equal(sockets.length, 1);
  });
}

for (const code of [1000, 1001, 1005, 1006, 1009, 1011, 1013, 4408, 4413, 4500]) {
  test(`the close code ${code} is a lost connection`, async () => {
    const { watch, sockets, last } = await watching({ afterSequence: 0 });
    await last().greet();
    last().end(code);
    await settle();
    mock.timers.tick(500);
    await settle();
    mock.timers.tick(500);
    await settle();
    assert.ok(sockets.length > 1);
    await last().greet();
    last().tell(1);
    assert.equal(watch.sequence, 1);
    watch.close();
  });
}

for (const code of ['INTERNAL', 'TOO_MANY', 'THROTTLED', 'WHATEVER_COMES']) {
  test(`an error with the code ${code} is a lost connection`, async () => {
    const { watch, sockets, last, states } = await watching();
    await last().greet();
    last().refuse(code);
    await settle();
    assert.equal(states.at(-1)[1].code, code);
    await pause(states);
    assert.equal(sockets.length, 2);
    watch.close();
  });
}

test('an update that could not be told in full is asked for again', async () => {
  const { watch, last, states, updates } = await watching({ afterSequence: 1 });
  await last().greet();
  const errors = [{ message: 'Something went wrong.', extensions: { code: 'INTERNAL' } }];
  last().say({ id: last().asked[0].id, type: 'next', payload: { data: null, errors } });
  await settle();
  await pause(states);
  await last().greet();
  assert.equal(last().asked[0].payload.variables.afterSequence, 1);
  last().tell(2);
  assert.deepEqual(updates, [2]);
  watch.close();
});

test('a fresh credential is asked for before each connection', async () => {
  let tokens = 0;
  const { watch, last, states } = await watching({
    credential: async () => `token ${(tokens += 1)}`,
    publishableKey: 'emp_pk_1',
    region: 'europe',
    language: 'de',
  });
  await last().greet();
  const introduction = {
    Authorization: 'Bearer token 1',
    'X-Publishable-Key': 'emp_pk_1',
    'X-Region': 'europe',
    'Accept-Language': 'de',
  };
  assert.deepEqual(last().sent[0], { type: 'connection_init', payload: introduction });
  last().tell(1);
  // It has expired: on a connection that was live, another one may do.
  last().end(4403, 'This needs a credential.');
  await settle();
  await pause(states);
  await last().greet();
  assert.equal(last().sent[0].payload.Authorization, 'Bearer token 2');
  last().stands(1);
  last().refuse('UNAUTHENTICATED');
  await settle();
  await pause(states);
  last().end(4403, 'This needs a credential.');
  await settle();
  assert.equal(watch.state, 'refused', 'a fresh one that is refused is refused');
  assert.equal(tokens, 3);
});

test('without a hook there is no fresh credential, and a right that ends is refused', async () => {
  const { watch, last } = await watching({ credential: 'token' });
  await last().greet();
  last().tell(1);
  last().end(4403);
  await settle();
  assert.equal(watch.state, 'refused');
});

test('a hook that fails is tried again, one that refuses ends it', async () => {
  const answers = [new Error('no network'), 'token', new OrderRefused('Log in again.', 'LOGGED_OUT')];
  const { watch, sockets, last, states } = await watching({
    credential: () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  assert.equal(sockets.length, 0);
  assert.equal(states.at(-1)[1].reason, 'Error: no network');
  await pause(states);
  await last().greet();
  last().end(1006);
  await settle();
  await pause(states);
  assert.deepEqual(states.at(-1), ['refused', { reason: 'Log in again.', code: 'LOGGED_OUT' }]);
  assert.equal(watch.state, 'refused');
});

test('the address may be asked for, too', async () => {
  const { watch, last } = await watching({ url: async () => 'ws://127.0.0.1:4000/store/graphql' });
  assert.equal(last().url, 'ws://127.0.0.1:4000/store/graphql');
  watch.close();
});

test('a shop that has fallen silent is left', async () => {
  const { watch, sockets, last, states } = await watching({ keepAlive: 1000 });
  await last().greet();
  last().tell(1);
  mock.timers.tick(1000);
  assert.equal(last().sent.at(-1).type, 'ping');
  last().say({ type: 'pong' });
  mock.timers.tick(1000);
  assert.equal(last().sent.at(-1).type, 'ping');
  assert.equal(watch.state, 'live');
  mock.timers.tick(1000);
  await settle();
  await pause(states);
  assert.equal(sockets.length, 2);
  watch.close();
});

test('closing says goodbye, and nothing comes any more', async () => {
  const { watch, last, updates, sockets, states } = await watching();
  await last().greet();
  last().tell(1);
  watch.close();
  watch.close();
  await settle();
  assert.deepEqual(last().closedBy, { code: 1000, reason: 'Normal Closure' });
  last().tell(2);
  mock.timers.tick(1e6);
  await settle();
  assert.deepEqual(updates, [1]);
  assert.equal(sockets.length, 1);
  assert.equal(states.filter(([state]) => state === 'closed').length, 1);
});

test('closing ends a pause and a connection that is being made', async () => {
  const pausing = await watching();
  pausing.last().end(1006);
  await settle();
  pausing.watch.close();
  mock.timers.tick(1e6);
  await settle();
  assert.equal(pausing.sockets.length, 1);
  const connecting = await watching();
  connecting.watch.close();
  await settle();
  await connecting.last().greet();
  assert.equal(connecting.last().readyState, 3);
  assert.equal(connecting.last().asked.length, 0);
});

test('a signal closes it', async () => {
  const abort = new AbortController();
  const { watch, last } = await watching({ signal: abort.signal });
  await last().greet();
  abort.abort();
  assert.equal(watch.state, 'closed');
  const { watch: never, sockets } = await watching({ signal: AbortSignal.abort() });
  assert.equal(never.state, 'closed');
  assert.equal(sockets.length, 0);
});

test('updates can be iterated over', async () => {
  const { sockets, Socket, last } = shop();
  const watch = watchOrder({ url: 'ws://shop.example/', orderId: 'order_1', webSocketImpl: Socket });
  const seen = [];
  const reading = (async () => {
    for await (const { sequence } of watch) {
      seen.push(sequence);
      if (sequence === 3) break;
    }
  })();
  await settle();
  await last().greet();
  last().tell(1, 2);
  await settle();
  assert.deepEqual(seen, [1, 2]);
  last().tell(3, 4);
  await reading;
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(watch.state, 'closed', 'nobody reads any more');
  for await (const update of watch) assert.fail(JSON.stringify(update));
  assert.equal(sockets.length, 1);
});

test('iterating ends when the watch is closed and throws when it is refused', async () => {
  const closed = await watching();
  const rest = closed.watch[Symbol.asyncIterator]().next();
  closed.watch.close();
  assert.deepEqual(await rest, { done: true, value: undefined });
  const refused = await watching();
  const iterator = refused.watch[Symbol.asyncIterator]();
  await refused.last().greet();
  refused.last().tell(1);
  refused.last().refuse('NOT_FOUND', 'There is no such order.');
  await settle();
  assert.equal((await iterator.next()).value.sequence, 1, 'what came before is told before');
  await assert.rejects(iterator.next(), (error) => error instanceof OrderRefused && error.code === 'NOT_FOUND');
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
});

test('a document of one\'s own must select the sequence', async () => {
  const document = 'subscription ($orderId: ID!) { mine: orderUpdated(orderId: $orderId) { order { number } } }';
  const { watch, last, states } = await watching({ document });
  await last().greet();
  assert.equal(last().asked[0].payload.query, document);
  last().say({ id: last().asked[0].id, type: 'next', payload: { data: { mine: { order: { number: 1 } } } } });
  await settle();
  assert.deepEqual(states.at(-1), ['refused', { reason: 'the document must select `sequence`', code: 'INVALID' }]);
  assert.equal(watch.state, 'refused');
});

test('a selection takes the place of the usual one', async () => {
  const { watch, last } = await watching({ selection: 'order { id }' });
  await last().greet();
  assert.match(last().asked[0].payload.query, /\{ sequence order \{ id \} \}/);
  watch.close();
});

test('a mistake of the caller is reported and stops nothing', async () => {
  const { watch, last } = await watching({
    onUpdate: () => {
      throw new Error('mine');
    },
  });
  await last().greet();
  const reported = mock.method(globalThis, 'queueMicrotask', () => {});
  last().tell(1, 2);
  assert.equal(watch.sequence, 2);
  assert.equal(watch.state, 'live');
  assert.throws(reported.mock.calls[0].arguments[0], /mine/);
  mock.restoreAll();
  watch.close();
});
