/**
 * Where a watch stands.
 *
 * - `connecting`: a connection is being made, or will be after a pause.
 * - `catching-up`: connected; what happened meanwhile is being told.
 * - `live`: what happens is told as it happens.
 * - `refused`: the shop said no and would say it again. The watch has ended.
 * - `closed`: you ended the watch.
 */
export type WatchState = 'connecting' | 'catching-up' | 'live' | 'refused' | 'closed';

/** Why a watch stands where it stands. */
export interface StateDetail {
  /** For people: what the shop or the network said. */
  reason?: string;
  /** A code of the shop such as `NOT_FOUND`, or the close code of the connection. */
  code?: string | number;
  /** How many connections in a row came to nothing before this one. */
  attempt?: number;
  /** The pause before the next connection, in milliseconds. */
  retryIn?: number;
}

/** What every update has. */
export interface Sequenced {
  /** Dense per order: 1, 2, 3 and so on. */
  sequence: number;
}

/** An update under the default selection. */
export interface OrderUpdate extends Sequenced {
  /** What happened; null in the first message, which tells the present state, and for what only staff read. */
  event: { kind: string; at: string } | null;
  /** The order as it is now. */
  order: { number: number; status: string; paymentStatus: string; fulfillmentStatus: string };
}

/** Sequences that the shop left out. */
export interface Gap {
  /** The last one that came before. */
  after: number;
  /** The one that came next. */
  next: number;
}

type Awaitable<T> = T | Promise<T>;

export interface WatchOptions<Update extends Sequenced = OrderUpdate> {
  /** The store's endpoint, such as `https://shop.example/store/graphql`; `ws:` and `wss:` do as well. */
  url: string | (() => Awaitable<string>);
  /** The order's id. */
  orderId: string;
  /** What `cartComplete` gave with the order; not needed with the credential of the customer who bought it. */
  accessToken?: string | (() => Awaitable<string | null | undefined>);
  /**
   * A customer's access token. A function is asked before every connection, so that it can refresh what has expired;
   * what it throws counts as a lost connection, unless it is an `OrderRefused`, which ends the watch.
   */
  credential?: string | (() => Awaitable<string | null | undefined>);
  /** The sales channel, by its publishable key. */
  publishableKey?: string;
  /** The region, by handle or id. */
  region?: string;
  /** The language, as in `Accept-Language`. */
  language?: string;
  /** What to select of `OrderUpdate` besides `sequence`. */
  selection?: string;
  /**
   * A whole subscription instead of `selection`. Its variables are `$orderId: ID!`, `$accessToken: String` and
   * `$afterSequence: Int64`; its field selects `sequence`.
   */
  document?: string;
  /** The last sequence that you saw; without it the first update tells the present state. */
  afterSequence?: number;
  /** Called with each update: each sequence once, in order. */
  onUpdate?: (update: Update) => void;
  /** Called whenever the watch stands somewhere else. */
  onState?: (state: WatchState, detail: StateDetail) => void;
  /** Called when the shop left out sequences, which it never should; by default the console says so. */
  onGap?: (gap: Gap) => void;
  /** Ends the watch. */
  signal?: AbortSignal;
  /** Pauses between connections, in milliseconds: each is twice the one before, up to the longest, less some chance. */
  retry?: { first?: number; longest?: number };
  /** After so many silent milliseconds the shop is asked whether it is there, and has as long again to answer. */
  keepAlive?: number;
  /** The class `WebSocket`, where there is no global one: that of the package `ws`, before Node.js 22. */
  webSocketImpl?: unknown;
}

/** A running watch. Iterate over it before you await anything else, and it misses nothing. */
export interface OrderWatch<Update extends Sequenced = OrderUpdate> extends AsyncIterable<Update> {
  /** Where it stands. */
  readonly state: WatchState;
  /** The last sequence that was told: what to keep as `afterSequence`. */
  readonly sequence: number | undefined;
  /** Ends it. */
  close(): void;
  /** Ends when the watch is closed; throws an `OrderRefused` when it is refused. */
  [Symbol.asyncIterator](): AsyncIterator<Update, undefined>;
}

/** The shop said no and would say it again. */
export class OrderRefused extends Error {
  constructor(reason: string, code?: string | number);
  /** A code of the shop such as `NOT_FOUND`, or the close code of the connection. */
  readonly code: string | number | undefined;
}

/** What a watch with these options sends: for a shop that runs trusted documents and nothing else. */
export function documentsOf(options?: Pick<WatchOptions, 'selection' | 'document'>): [string, string];

/** Follows an order until it is closed or refused. */
export function watchOrder<Update extends Sequenced = OrderUpdate>(
  options: WatchOptions<Update>,
): OrderWatch<Update>;
