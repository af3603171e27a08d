// Follows an order of an Emporion shop live, over `graphql-transport-ws`.
//
// The shop numbers what happens to an order without gaps. A watch remembers the
// last number that it told and asks for what comes behind it whenever it
// connects again, so each update is told once, in order.
import { createClient } from 'graphql-ws/client';

/** What is selected of an update unless something else is asked for. */
const SELECTION = 'event { kind at } order { number status paymentStatus fulfillmentStatus }';
/** Close codes that another try would meet again; all others are a lost connection. */
const FINAL_CLOSES = new Set([4400, 4401, 4403, 4406, 4409, 4429]);
/** Codes of errors that another try would meet again. */
const FINAL_CODES = new Set([
  'NOT_FOUND',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'INVALID',
  'REQUIRED',
  'DOCUMENT_INVALID',
  'DOCUMENT_TOO_LARGE',
  'DOCUMENT_TOO_COSTLY',
  'DOCUMENT_NOT_TRUSTED',
  'DOCUMENT_NOT_FOUND',
]);
/** How long the shop may take to greet, in milliseconds. */
const GREETING = 10_000;

export class OrderRefused extends Error {
  /**
   * @param {string} reason
   * @param {string | number} [code]
   */
  constructor(reason, code) {
    super(reason);
    this.name = 'OrderRefused';
    this.code = code;
  }
}

/** @type {typeof import('./index.d.ts').documentsOf} */
export function documentsOf({ selection = SELECTION, document } = {}) {
  return [document ?? text(`sequence ${selection}`), text('sequence')];
}

/** @type {typeof import('./index.d.ts').watchOrder} */
export function watchOrder(options) {
  return new Watch(options);
}

/**
 * @template {Sequenced} Update
 * @typedef {import('./index.d.ts').OrderWatch<Update>} OrderWatch
 */
/**
 * @template {Sequenced} Update
 * @typedef {import('./index.d.ts').WatchOptions<Update>} WatchOptions
 */
/** @typedef {import('./index.d.ts').Sequenced} Sequenced */
/** @typedef {import('./index.d.ts').WatchState} WatchState */
/** @typedef {import('./index.d.ts').StateDetail} StateDetail */
/**
 * How a connection ended.
 * @typedef {{ reason: string, code?: string | number, final: boolean }} End
 */

/**
 * @template {Sequenced} Update
 * @implements {OrderWatch<Update>}
 */
class Watch {
  /** @type {WatchOptions<Update>} */
  #options;
  /** @type {WatchState} */
  #state = 'connecting';
  /** @type {number | undefined} */
  #sequence;
  /** @type {Set<Queue<Update>>} */
  #queues = new Set();
  /** @type {OrderRefused | undefined} */
  #refusal;
  /** Ends what is going on, be it a pause or a connection. */
  #interrupt = () => {};
  /** Connections in a row that told nothing. */
  #attempt = 0;

  /** @param {WatchOptions<Update>} options */
  constructor(options) {
    this.#options = options;
    this.#sequence = options.afterSequence;
    const { signal } = options;
    if (signal?.aborted) {
      this.#state = 'closed';
      return;
    }
    signal?.addEventListener('abort', () => this.close(), { once: true });
    // Whoever iterates does so before anything comes.
    queueMicrotask(() => void this.#follow());
  }

  get state() {
    return this.#state;
  }

  get sequence() {
    return this.#sequence;
  }

  close() {
    if (this.#ended) return;
    this.#enter('closed', {});
    this.#interrupt();
    for (const queue of this.#queues) queue.end();
  }

  [Symbol.asyncIterator]() {
    /** @type {Queue<Update>} */
    const queue = new Queue(() => this.close());
    if (this.#ended) queue.end(this.#refusal);
    else this.#queues.add(queue);
    return queue;
  }

  get #ended() {
    return this.#state === 'closed' || this.#state === 'refused';
  }

  /**
   * @param {WatchState} state
   * @param {StateDetail} detail
   */
  #enter(state, detail) {
    this.#state = state;
    this.#call(() => this.#options.onState?.(state, detail));
  }

  /**
   * Calls what is not ours: a mistake in there is reported like any other, and stops nothing here.
   * @param {() => void} callback
   */
  #call(callback) {
    try {
      callback();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** Connects again and again. */
  async #follow() {
    if (this.#ended) return;
    this.#enter('connecting', { attempt: 0 });
    while (!this.#ended) {
      const end = await this.#connect();
      if (this.#ended) return;
      const detail = ending(end.reason, end.code);
      if (end.final) {
        this.#refusal = new OrderRefused(end.reason, end.code);
        this.#enter('refused', detail);
        for (const queue of this.#queues) queue.end(this.#refusal);
        return;
      }
      const { first = 500, longest = 30_000 } = this.#options.retry ?? {};
      // Half of the pause is left to chance: those who were cut off together do not come back together.
      const retryIn = Math.round(Math.min(longest, first * 2 ** this.#attempt) * (1 - Math.random() / 2));
      this.#attempt += 1;
      this.#enter('connecting', { ...detail, attempt: this.#attempt, retryIn });
      await this.#pause(retryIn);
    }
  }

  /** @param {number} time */
  #pause(time) {
    return new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
      const timer = setTimeout(resolve, time);
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /**
   * One connection, from its beginning to its end.
   * @returns {Promise<End>}
   */
  async #connect() {
    const { url, accessToken, credential, webSocketImpl, keepAlive = 20_000 } = this.#options;
    let address, token, introduction;
    try {
      address = socketAddress(await given(url));
      token = await given(accessToken);
      introduction = this.#introduction(await given(credential));
    } catch (error) {
      if (error instanceof OrderRefused) return { ...ending(error.message, error.code), final: true };
      return { reason: String(error), final: false };
    }
    if (this.#ended) return { reason: 'closed', final: false };
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let silence;
    const client = createClient({
      url: address,
      connectionParams: introduction,
      connectionAckWaitTimeout: GREETING,
      keepAlive,
      // Pauses and refusals are decided here.
      retryAttempts: 0,
      webSocketImpl,
      on: {
        ping: (received) => {
          if (!received) silence = setTimeout(() => client.terminate(), keepAlive);
        },
        pong: (received) => {
          if (received) clearTimeout(silence);
        },
      },
    });
    const end = await this.#subscribe(client, token);
    clearTimeout(silence);
    // Of a connection that was never made there is nothing to close.
    await Promise.resolve(client.dispose()).catch(() => {});
    return end;
  }

  /**
   * What the shop is told of the client.
   * @param {string | null | undefined} credential
   */
  #introduction(credential) {
    const { publishableKey, region, language } = this.#options;
    return {
      ...(credential && { Authorization: `Bearer ${credential}` }),
      ...(publishableKey && { 'X-Publishable-Key': publishableKey }),
      ...(region && { 'X-Region': region }),
      ...(language && { 'Accept-Language': language }),
    };
  }

  /**
   * @param {import('graphql-ws/client').Client} client
   * @param {string | null | undefined} accessToken
   * @returns {Promise<End>}
   */
  #subscribe(client, accessToken) {
    const { orderId } = this.#options;
    const [watched, probed] = documentsOf(this.#options);
    const variables = { orderId, accessToken: accessToken ?? null, afterSequence: this.#sequence ?? null };
    /** @type {(() => void)[]} */
    const stops = [];
    return new Promise((/** @type {(end: End) => void} */ resolve) => {
      let told = false;
      let over = false;
      /** Where the order stood when the connection began; nothing until that is known. */
      let present = this.#sequence === undefined ? 0 : undefined;

      const finish = (/** @type {End} */ end) => {
        if (over) return;
        over = true;
        for (const stop of stops) stop();
        // A right that a fresh credential may give back: it was there on this connection until now.
        resolve({ ...end, final: end.final && !(told && this.#canRefresh && isRight(end.code)) });
      };
      this.#interrupt = () => finish({ reason: 'closed', final: false });

      const look = () => {
        if (over) return;
        const state = present !== undefined && (this.#sequence ?? 0) >= present ? 'live' : 'catching-up';
        if (state !== this.#state) this.#enter(state, {});
      };

      stops.push(
        client.subscribe(
          { query: watched, variables },
          {
            next: (result) => {
              if (over) return;
              const update = /** @type {Update | undefined} */ (Object.values(result.data ?? {})[0]);
              if (!update) {
                const errors = result.errors ?? [];
                return finish({ ...ending(words(errors), codeOf(errors)), final: false });
              }
              told = true;
              this.#tell(update, finish);
              look();
            },
            error: (error) => finish(whatEnded(error)),
            complete: () => finish({ reason: 'the shop ended the subscription', final: false }),
          },
        ),
      );
      if (this.#sequence === undefined) return;
      // Whether all that was missed has been told can't be seen from the updates. The present state of a second
      // subscription says how far the order has come.
      const probe = client.subscribe(
        { query: probed, variables: { ...variables, afterSequence: null } },
        {
          next: (result) => {
            probe();
            if (over) return;
            told = true;
            const state = /** @type {Sequenced | undefined} */ (
              Object.values(result.data ?? {})[0]
            );
            present = state?.sequence ?? 0;
            look();
          },
          // What is wrong is wrong with the other one, too, and told there.
          error: () => {},
          complete: () => {},
        },
      );
      stops.push(probe);
    });
  }

  get #canRefresh() {
    const { credential, accessToken } = this.#options;
    return typeof credential === 'function' || typeof accessToken === 'function';
  }

  /**
   * Tells an update, unless it was told before.
   * @param {Update} update
   * @param {(end: End) => void} finish
   */
  #tell(update, finish) {
    const { sequence } = update;
    if (!Number.isSafeInteger(sequence)) {
      return finish({ reason: 'the document must select `sequence`', code: 'INVALID', final: true });
    }
    const last = this.#sequence;
    if (last !== undefined && sequence <= last) return;
    this.#sequence = sequence;
    this.#attempt = 0;
    if (last !== undefined && sequence > last + 1) {
      const { onGap = complain } = this.#options;
      this.#call(() => onGap({ after: last, next: sequence }));
    }
    this.#call(() => this.#options.onUpdate?.(update));
    for (const queue of this.#queues) queue.push(update);
  }
}

/**
 * Updates that wait for whoever iterates.
 * @template Update
 * @implements {AsyncIterator<Update, undefined>}
 */
class Queue {
  /** @type {Update[]} */
  #waiting = [];
  #over = false;
  /** @type {Error | undefined} */
  #error;
  #wake = () => {};
  #left;

  /** @param {() => void} left called when nobody iterates any more */
  constructor(left) {
    this.#left = left;
  }

  /** @param {Update} update */
  push(update) {
    this.#waiting.push(update);
    this.#wake();
  }

  /** @param {Error} [error] */
  end(error) {
    this.#over = true;
    this.#error = error;
    this.#wake();
  }

  /** @returns {Promise<IteratorResult<Update, undefined>>} */
  async next() {
    for (;;) {
      if (this.#waiting.length > 0) return { done: false, value: /** @type {Update} */ (this.#waiting.shift()) };
      const error = this.#error;
      this.#error = undefined;
      if (error) throw error;
      if (this.#over) return { done: true, value: undefined };
      await new Promise((/** @type {(value?: undefined) => void} */ resolve) => (this.#wake = resolve));
    }
  }

  /** @returns {Promise<IteratorResult<Update, undefined>>} */
  async return() {
    this.#waiting = [];
    this.#left();
    return { done: true, value: undefined };
  }
}

/** @param {string} selection */
function text(selection) {
  return `subscription ($orderId: ID!, $accessToken: String, $afterSequence: Int64) {
    orderUpdated(orderId: $orderId, accessToken: $accessToken, afterSequence: $afterSequence) { ${selection} } }`;
}

/**
 * @template T
 * @param {T | (() => T | Promise<T>)} value
 * @returns {T | Promise<T>}
 */
function given(value) {
  return typeof value === 'function' ? /** @type {() => T | Promise<T>} */ (value)() : value;
}

/** @param {string} url */
function socketAddress(url) {
  const address = new URL(url, globalThis.location?.href);
  address.protocol = address.protocol.replace(/^http/, 'ws');
  return address.href;
}

/**
 * @param {unknown} ended
 * @returns {End}
 */
function whatEnded(ended) {
  if (Array.isArray(ended)) {
    const code = codeOf(ended);
    // What an operation is refused for has a code; other servers give none to a document that is wrong.
    return { ...ending(words(ended), code), final: code === undefined || FINAL_CODES.has(code) };
  }
  const { code, reason, message } = /** @type {{ code?: unknown, reason?: unknown, message?: unknown }} */ (ended ?? {});
  if (typeof code === 'number') return { reason: String(reason ?? ''), code, final: FINAL_CLOSES.has(code) };
  return { reason: typeof message === 'string' && message !== '' ? message : 'no connection', final: false };
}

/**
 * @param {string} reason
 * @param {string | number | undefined} code
 */
function ending(reason, code) {
  return code === undefined ? { reason } : { reason, code };
}

/** @param {readonly { message: string }[]} errors */
function words(errors) {
  return errors.map((error) => error.message).join('; ');
}

/**
 * @param {readonly { extensions?: unknown }[]} errors
 * @returns {string | undefined}
 */
function codeOf(errors) {
  const { code } = /** @type {{ code?: unknown }} */ (errors[0]?.extensions ?? {});
  return typeof code === 'string' ? code : undefined;
}

/** @param {string | number | undefined} code */
function isRight(code) {
  return code === 4403 || code === 'UNAUTHENTICATED' || code === 'FORBIDDEN' || code === 'NOT_FOUND';
}

/** @param {import('./index.d.ts').Gap} gap */
function complain({ after, next }) {
  console.error(`emporion-live: the shop told ${next} next to ${after}; what is between them is missing`);
}
