// Sends operations to the surfaces of the shop that serves this page. Nothing is kept: a token is gone with the page.
'use strict';

const SURFACES = [
  { name: 'store', title: 'Store', path: '/store/graphql' },
  { name: 'admin', title: 'Admin', path: '/admin/graphql' },
  { name: 'unified', title: 'Unified', path: '/graphql' },
];
const at = (id) => document.getElementById(id);
const pick = (value, path) => path.split('.').reduce((inside, step) => inside?.[step], value);

// What is written on each surface, so that a change of the tab loses nothing.
const kept = new Map(SURFACES.map(({ name }) => [name, { query: '', variables: '', headers: '', token: '' }]));
const schemas = new Map();
let examples = {};
let surface = SURFACES[0];
let running = null;

function made(tag, text, properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, properties);
}

function choose(next) {
  for (const field of ['query', 'variables', 'headers', 'token']) {
    kept.get(surface.name)[field] = at(field).value;
    at(field).value = kept.get(next.name)[field];
  }
  surface = next;
  stop();
  at('answer').textContent = '';
  at('state').textContent = '';
  at('surfaces').replaceChildren(...SURFACES.map((one) => {
    const tab = made('button', one.title, { onclick: () => choose(one) });
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-selected', String(one === surface));
    return tab;
  }));
  const offered = examples[surface.name] ?? [];
  at('examples').replaceChildren(...offered.map((example) => {
    const entry = document.createElement('li');
    entry.append(made('button', example.title, { onclick: () => show(example) }));
    return entry;
  }));
  if (at('query').value === '' && offered.length > 0) show(offered[0]);
  explore('');
}

function show(example) {
  at('query').value = example.query;
  at('variables').value = Object.keys(example.variables).length > 0 ? JSON.stringify(example.variables, null, 2) : '';
  location.hash = `${surface.name}/${example.name}`;
}

function object(field) {
  const text = at(field).value.trim();
  return text === '' ? {} : JSON.parse(text);
}

function headers() {
  const token = at('token').value.trim();
  return { ...object('headers'), ...(token && { Authorization: `Bearer ${token.replace(/^bearer /i, '')}` }) };
}

async function post(query, variables) {
  const response = await fetch(surface.path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers() },
    body: JSON.stringify({ query, variables }),
  });
  const told = ['x-request-id', 'x-query-cost'].map((name) => [name, response.headers.get(name)]);
  const state = [`${response.status}`, ...told.filter(([, value]) => value).map(([name, value]) => `${name} ${value}`)];
  return { state: state.join(', '), answer: await response.json() };
}

// Variables that an example takes from what another one answers.
async function fill(query, variables) {
  const example = (examples[surface.name] ?? []).find((one) => one.query === query);
  for (const { variable, from, path } of example?.needs ?? []) {
    if (variables[variable] !== undefined) continue;
    const other = examples[surface.name].find((one) => one.name === from);
    const before = other.answer ?? (await post(other.query, await fill(other.query, { ...other.variables }))).answer;
    other.answer = before;
    variables[variable] = pick(before.data, path);
  }
  for (const one of examples[surface.name] ?? []) if (one !== example) delete one.answer;
  return variables;
}

function tell(answer, state) {
  at('answer').textContent = typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2);
  at('state').textContent = state;
  const token = Object.values(answer?.data ?? {}).map((field) => field?.tokens?.accessToken).find(Boolean);
  if (token) {
    at('token').value = token;
    // The unified surface takes what the admin one gives.
    if (surface.name === 'admin') kept.get('unified').token = token;
  }
}

async function run() {
  stop();
  try {
    const query = at('query').value;
    const variables = await fill(query, object('variables'));
    if (Object.keys(variables).length > 0) at('variables').value = JSON.stringify(variables, null, 2);
    // Whatever a string or a comment says, the words of an operation's kind stand at the beginning of a definition.
    const bare = query.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|#.*/g, '');
    if (/^\s*subscription\b/.test(bare)) {
      listen(query, variables);
      return;
    }
    at('state').textContent = 'running';
    const began = performance.now();
    const { state, answer } = await post(query, variables);
    tell(answer, `${state}, ${Math.round(performance.now() - began)} ms`);
  } catch (error) {
    tell(String(error), 'not sent');
  }
}

function listen(query, variables) {
  const address = new URL(surface.path, location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  const socket = new WebSocket(address, 'graphql-transport-ws');
  const told = [];
  running = socket;
  at('stop').disabled = false;
  at('answer').textContent = '';
  at('state').textContent = 'connecting';
  const say = (message) => socket.send(JSON.stringify(message));
  socket.onopen = () => say({ type: 'connection_init', payload: headers() });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'connection_ack') say({ id: '1', type: 'subscribe', payload: { query, variables } });
    if (message.type === 'connection_ack') at('state').textContent = 'live';
    if (message.type === 'ping') say({ type: 'pong' });
    if (message.type === 'next' || message.type === 'error') {
      told.unshift(message.payload);
      told.length = Math.min(told.length, 100);
      tell(told.map((one) => JSON.stringify(one, null, 2)).join('\n\n'), `live, ${told.length} messages, the newest first`);
    }
    if (message.type === 'error' || message.type === 'complete') socket.close(1000);
  };
  socket.onclose = ({ code, reason }) => {
    if (running !== socket) return;
    running = null;
    at('stop').disabled = true;
    at('state').textContent = `ended, ${code} ${reason}`;
  };
}

function stop() {
  running?.close(1000);
}

const SCHEMA = `query Schema { __schema { queryType { name } mutationType { name } subscriptionType { name }
  types { name kind description enumValues { name description }
    inputFields { name description type { ...T } } fields { name description args { name type { ...T } } type { ...T } } } } }
  fragment T on __Type { name kind ofType { name kind ofType { name kind ofType { name kind } } } }`;

function spelled(type) {
  if (type.kind === 'NON_NULL') return `${spelled(type.ofType)}!`;
  return type.kind === 'LIST' ? `[${spelled(type.ofType)}]` : type.name;
}

async function explore(wanted) {
  const here = surface;
  if (!schemas.has(here.name) && wanted === '') {
    at('schema').replaceChildren(made('button', 'Read the schema', { onclick: () => read(here) }));
    return;
  }
  const { types, roots } = schemas.get(here.name) ?? (await read(here)) ?? { types: [], roots: [] };
  const exact = types.find((type) => type.name === wanted);
  const near = (text) => text.toLowerCase().includes(wanted.toLowerCase());
  if (exact) return tellType(exact);
  const found = wanted === '' ? types.filter((type) => roots.includes(type.name))
    : types.filter((type) => near(type.name) || (type.fields ?? []).some((field) => near(field.name))).slice(0, 50);
  at('schema').replaceChildren(...found.flatMap((type) => [link(type.name), document.createElement('br')]));
}

async function read(here) {
  const { answer } = await post(SCHEMA, {});
  if (answer.errors) {
    at('schema').replaceChildren(made('p', answer.errors[0].message));
    return undefined;
  }
  const { types, queryType, mutationType, subscriptionType } = answer.data.__schema;
  const roots = [queryType, mutationType, subscriptionType].map((root) => root?.name);
  schemas.set(here.name, { types: types.filter((type) => !type.name.startsWith('__')), roots });
  await explore(at('find').value.trim());
  return schemas.get(here.name);
}

function link(name) {
  return made('button', name, { onclick: () => { at('find').value = name; explore(name); } });
}

function tellType(type) {
  const list = document.createElement('dl');
  for (const part of [...(type.fields ?? []), ...(type.inputFields ?? []), ...(type.enumValues ?? [])]) {
    const name = document.createElement('dt');
    const needs = (part.args ?? []).map((argument) => `${argument.name}: ${spelled(argument.type)}`).join(', ');
    name.append(made('code', part.name + (needs && `(${needs})`)));
    if (part.type) {
      let inner = part.type;
      while (inner.ofType) inner = inner.ofType;
      name.append(': ', Object.assign(link(inner.name), { textContent: spelled(part.type) }));
    }
    list.append(name, made('dd', part.description ?? ''));
  }
  at('schema').replaceChildren(made('h3', type.name), made('p', type.description ?? ''), list);
}

async function begin() {
  examples = await (await fetch('/graphiql/examples.json')).json();
  const [name, wanted] = location.hash.slice(1).split('/');
  choose(SURFACES.find((one) => one.name === name) ?? SURFACES[0]);
  const example = (examples[surface.name] ?? []).find((one) => one.name === wanted);
  if (example) show(example);
  at('run').onclick = run;
  at('stop').onclick = stop;
  at('find').oninput = () => explore(at('find').value.trim());
  document.onkeydown = (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') run();
  };
  document.body.dataset.ready = 'yes';
}

begin();
