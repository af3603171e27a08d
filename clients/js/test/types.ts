// What a caller may write and what not: read by the compiler, never run.
import { OrderRefused, watchOrder, type OrderUpdate, type OrderWatch, type Sequenced } from '../index.js';

const plain: OrderWatch = watchOrder({ url: 'https://shop.example/store/graphql', orderId: 'order_1' });
for await (const update of plain) {
  const kind: string | undefined = update.event?.kind;
  const number: number = update.order.number;
  void [kind, number];
}

interface Mine extends Sequenced {
  order: { total: { amount: string } };
}
const mine = watchOrder<Mine>({
  url: async () => 'wss://shop.example/store/graphql',
  orderId: 'order_1',
  accessToken: () => null,
  credential: async () => 'token',
  selection: 'order { total { amount } }',
  afterSequence: 3,
  onUpdate: (update) => update.order.total.amount.length,
  onState: (state, { retryIn = 0 }) => (state === 'connecting' ? retryIn.toFixed() : state),
  signal: new AbortController().signal,
});
const last: number | undefined = mine.sequence;
void last;

// @ts-expect-error: an order is needed
watchOrder({ url: 'https://shop.example/store/graphql' });
// @ts-expect-error: the default selection has no total
watchOrder({ url: '', orderId: '', onUpdate: (update: OrderUpdate) => update.order.total });
// @ts-expect-error: there is no such state
if (mine.state === 'open') mine.close();
// @ts-expect-error: where it stands is not for others to say
mine.state = 'live';
const code: string | number | undefined = new OrderRefused('no', 4403).code;
void code;
