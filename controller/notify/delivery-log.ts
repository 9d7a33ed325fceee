import type { ControllerLog } from '../log.ts';

/** How it goes with one receiver: what is counted of it, and said in the log, once for each time it is away. */
export interface DeliveryLog {
  /** One was taken. */
  taken(): void;
  /** A try failed. */
  failed(why: string): void;
  /** So many will not be told any more. */
  lost(count: number, why: string): void;
}

export interface DeliveryLogOptions {
  /** Of the receiver: all that is shown of its address. */
  host: string;
  log: Pick<ControllerLog, 'info' | 'warn'>;
  onSent: () => void;
  /** Told of each that is lost. */
  onDropped: () => void;
}

export function createDeliveryLog({ host, log, onSent, onDropped }: DeliveryLogOptions): DeliveryLog {
  let isAway = false;
  let dropped = 0;
  return {
    taken() {
      if (isAway || dropped > 0)
        log.info({ receiver: host, lost: dropped }, 'the receiver takes notifications again');
      isAway = false;
      dropped = 0;
      onSent();
    },
    failed(why) {
      if (!isAway) log.warn({ receiver: host, why }, 'a notification could not be posted; it is tried again');
      isAway = true;
    },
    lost(count, why) {
      if (count > 0 && dropped === 0)
        log.warn(
          { receiver: host, why },
          'notifications are lost; hersh_notifications_dropped_total says how many',
        );
      dropped += count;
      for (let one = 0; one < count; one++) onDropped();
    },
  };
}
