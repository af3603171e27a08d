// Documents that are named instead of sent, by urql: registered by their hash,
// and trusted by the operator.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Client, createRequest, fetchExchange, gql, makeOperation } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { scene } from './shop.mjs';

/** A client that notes what it asks, and in which form. */
function noting(exchanges, more = {}) {
  const asked = [];
  const noted = async (address, options) => {
    const { method = 'GET', body } = options;
    const url = new URL(address);
    const said = body ? JSON.parse(body) : Object.fromEntries(url.searchParams);
    const response = await fetch(address, options);
    asked.push({ method, query: Boolean(said.query), id: said.documentId, status: response.status });
    return response;
  };
  const client = new Client({ url: scene.store, exchanges: [...exchanges, fetchExchange], fetch: noted, ...more });
  return { asked, client, noted };
}

const generateHash = async (text) => createHash('sha256').update(text).digest('hex');

for (const [method, preferGetForPersistedQueries] of [['POST', false], ['GET', 'force']]) {
  test(`a document is sent once and named from then on, by ${method}`, async () => {
    const persisted = persistedExchange({ generateHash, preferGetForPersistedQueries });
    const { asked, client } = noting([persisted], { preferGetMethod: false });
    const query = gql(`query By${method} { shop { locale } }`);
    for (let time = 0; time < 2; time += 1) {
      const { data, error } = await client.query(query, {}, { requestPolicy: 'network-only' }).toPromise();
      assert.equal(error, undefined);
      assert.equal(data.shop.locale, 'en');
    }
    assert.deepEqual(asked.map(({ query }) => query), [false, true, false]);
    assert.deepEqual(new Set(asked.map(({ status }) => status)), new Set([200]));
    assert.equal(asked[2].method, method);
  });
}

test('a trusted document is named and never sent', async () => {
  // As a build leaves it, which has taken the text out.
  const query = { kind: 'Document', definitions: [], documentId: 'locale-1' };
  const { asked, client, noted } = noting([]);
  const context = { url: scene.store, fetch: noted, requestPolicy: 'network-only' };
  const operation = makeOperation('query', createRequest(query, {}), context);
  const { data, error } = await client.executeRequestOperation(operation).toPromise();
  assert.equal(error, undefined);
  assert.equal(data.shop.locale, 'en');
  assert.deepEqual(asked, [{ method: 'POST', query: false, id: 'locale-1', status: 200 }]);
});
