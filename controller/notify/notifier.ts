/** The room of notices: who is told by HTTP of what somebody should know, without anybody waiting for it. */

import type { EventStore } from '../../registry/records/event-store.ts';
import type { Clock } from '../../schemas/clock.ts';
import { timestamp } from '../../schemas/program.ts';
import type { ControllerLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { letterOf } from './form.ts';
import { type HostTrouble, watchHost } from './host-watch.ts';
import { type Notice, noticeOf, type Teller } from './notice.ts';
import { createOutbox } from './outbox.ts';
import { type Post, post } from './post.ts';
import type { Receiver } from './receiver.ts';
import { createRepeats } from './worth-telling.ts';

/** What waits when the host ends has this long; the whole end of the host may take 4 s. */
export const LAST_CHANCE_MS = 1_000;

export interface NotifierDeps {
  receivers: readonly Receiver[];
  /** See `LetterOptions`. */
  secret: string | undefined;
  teller: Teller;
  events: Pick<EventStore, 'subscribeAll'>;
  /** What keeps the host from its work at present. */
  troubles: () => readonly HostTrouble[];
  clock: Clock;
  log: Pick<ControllerLog, 'info' | 'warn'>;
  metrics: Pick<Metrics, 'notifications'>;
  /** Default: over the network. */
  post?: Post;
}

export interface Notifier {
  /** Gives what waits a last, short chance, and ends. What happens meanwhile is still told. */
  close(): Promise<void>;
}

/** Tells the receivers from now on. Without any it does nothing. */
export function startNotifier(deps: NotifierDeps): Notifier {
  const { receivers, teller, clock } = deps;
  if (receivers.length === 0) return { close: async () => undefined };
  const boxes = receivers.map((receiver) => createOutbox(outboxOptions(deps, receiver)));
  deps.metrics.notifications.watch(() => boxes.reduce((sum, box) => sum + box.waiting(), 0));
  const tell = (notice: Notice): void => {
    for (const box of boxes) box.offer(notice);
  };
  const repeats = createRepeats(() => clock.monotonic());
  const unsubscribe = deps.events.subscribeAll((program, event) => {
    const repeated = repeats.pass(program, event);
    if (repeated !== undefined) tell(noticeOf(teller, program, event, repeated));
  });
  const unwatch = watchHost(clock, deps.troubles, ({ reason, message }) =>
    tell(noticeOf(teller, '', { reason, message, time: timestamp(clock.now()) })),
  );
  return {
    async close() {
      unwatch();
      await Promise.all(boxes.map((box) => box.close(LAST_CHANCE_MS)));
      unsubscribe();
    },
  };
}

function outboxOptions(deps: NotifierDeps, { url, form }: Receiver): Parameters<typeof createOutbox>[0] {
  const { clock, log, secret, teller, metrics } = deps;
  const { host } = url;
  metrics.notifications.receiver(host);
  return {
    ...{ host, clock, log },
    async send(notice, signal) {
      const letter = letterOf(notice, { form, teller, secret, nowMs: clock.now() });
      await (deps.post ?? post)(url, letter, signal);
    },
    onSent: () => metrics.notifications.sent(host),
    onDropped: () => metrics.notifications.dropped(host),
  };
}
