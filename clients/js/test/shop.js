// A shop that says what a test wants, behind a `WebSocket` without a network.

/** A class of sockets and those that were opened. */
export function shop() {
  const sockets = [];
  class Socket {
    static CONNECTING = 0;
    static OPEN = 1;
    static CLOSING = 2;
    static CLOSED = 3;
    readyState = 0;
    sent = [];

    constructor(url, protocol) {
      Object.assign(this, { url, protocol });
      sockets.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    /** The client closes it. */
    close(code, reason) {
      this.closedBy = { code, reason };
      this.end(code, reason);
    }

    /** The shop or the network closes it. */
    end(code, reason = '') {
      if (this.readyState === 3) return;
      this.readyState = 3;
      queueMicrotask(() => this.onclose?.({ code, reason, wasClean: true }));
    }

    /** Lets the client in. */
    async greet() {
      this.readyState = 1;
      this.onopen();
      await settle();
      this.say({ type: 'connection_ack' });
      await settle();
      return this;
    }

    say(message) {
      this.onmessage?.({ data: JSON.stringify(message) });
    }

    /** The subscriptions that it was asked for: first the watch, then what only looks how far the order is. */
    get asked() {
      return this.sent.filter(({ type }) => type === 'subscribe');
    }

    /** Tells updates with these sequences. */
    tell(...sequences) {
      for (const sequence of sequences) this.#tell(this.asked[0], sequence);
    }

    /** Tells how far the order is. */
    stands(sequence) {
      this.#tell(this.asked[1], sequence);
    }

    #tell({ id }, sequence) {
      this.say({ id, type: 'next', payload: { data: { orderUpdated: { sequence, event: null, order: {} } } } });
    }

    /** Refuses the watch with an error of this code. */
    refuse(code, message = 'No.') {
      const error = code === undefined ? { message } : { message, extensions: { code } };
      this.say({ id: this.asked[0].id, type: 'error', payload: [error] });
    }
  }
  return { sockets, Socket, last: () => sockets.at(-1) };
}

/** Lets everything happen that waits for no time. */
export async function settle() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
