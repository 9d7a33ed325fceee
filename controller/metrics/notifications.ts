import { type Figures, one } from './kit.ts';

/** What receivers of Warning events were told, each by its host. */
export interface NotificationFigures {
  /** From now on there is one. */
  receiver(host: string): void;
  sent(host: string): void;
  dropped(host: string): void;
  /** @param waiting how many are not told yet, nor given up */
  watch(waiting: () => number): void;
}

export function countNotifications(figures: Figures): NotificationFigures {
  let waiting = () => 0;
  const sent = figures.counter(
    'hersh_notifications_sent_total',
    'Notifications that a receiver has taken.',
    'receiver',
  );
  const dropped = figures.counter(
    'hersh_notifications_dropped_total',
    'Notifications that were given up: too many tries, too many that wait, or the host ended.',
    'receiver',
  );
  figures.gauge('hersh_notifications_waiting', 'Notifications that are still to be taken.', [], () =>
    one(waiting()),
  );
  return {
    receiver(host) {
      for (const counter of [sent, dropped]) counter.inc({ receiver: host }, 0);
    },
    sent: (host) => sent.inc({ receiver: host }),
    dropped: (host) => dropped.inc({ receiver: host }),
    watch(given) {
      waiting = given;
    },
  };
}
