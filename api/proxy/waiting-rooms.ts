/**
 * Requests that wait at once for one program: 250 a second over the whole of the default wait. Each holds its
 * connection and its headers, 18 KB as measured (Node 20.20), so a program that is away costs 45 MB at most.
 */
export const WAITING_MAX = 2_500;
/** Those let go that have no answer yet: a program that has just begun to listen is not sent all at once. */
export const RELEASED_MAX = 64;

export interface Waiter {
  /** Whether what it waits for has not come yet. */
  mustWait(): boolean;
  /** It waits no longer. `done` has to be called when it has its answer, or will have none. */
  go(done: () => void): void;
}

export interface WaitingRooms {
  /**
   * Waits until the program changes so that the waiter need not, and `ms` milliseconds at most.
   * @returns what ends it; undefined where as many wait already as may
   */
  enter(name: string, ms: number, waiter: Waiter): (() => void) | undefined;
}

interface Room {
  /** In the order they came. */
  waiting: Set<Waiter>;
  released: number;
  looking: boolean;
  unsubscribe(): void;
}

/** @param onChange calls whenever the program that is named changes, until what it gives is called */
export function createWaitingRooms(
  onChange: (name: string, listener: () => void) => () => void,
): WaitingRooms {
  const rooms = new Map<string, Room>();

  function roomOf(name: string): Room {
    const known = rooms.get(name);
    if (known !== undefined) return known;
    const room: Room = { waiting: new Set(), released: 0, looking: false, unsubscribe: () => {} };
    room.unsubscribe = onChange(name, () => lookSoon(name, room));
    rooms.set(name, room);
    return room;
  }

  /** Not while the change is told of: there may be hundreds to look at. */
  function lookSoon(name: string, room: Room): void {
    if (room.looking) return;
    room.looking = true;
    setImmediate(() => {
      room.looking = false;
      for (const waiter of [...room.waiting]) {
        if (room.released >= RELEASED_MAX) break;
        if (waiter.mustWait()) continue;
        room.waiting.delete(waiter);
        room.released++;
        waiter.go(() => {
          room.released--;
          if (room.waiting.size > 0) lookSoon(name, room);
          else closeEmpty(name, room);
        });
      }
    });
  }

  function closeEmpty(name: string, room: Room): void {
    if (room.waiting.size > 0 || room.released > 0 || rooms.get(name) !== room) return;
    rooms.delete(name);
    room.unsubscribe();
  }

  return {
    enter(name, ms, waiter) {
      const room = roomOf(name);
      if (room.waiting.size >= WAITING_MAX) return undefined;
      const leave = (): void => {
        clearTimeout(timer);
        room.waiting.delete(own);
        closeEmpty(name, room);
      };
      const own: Waiter = {
        mustWait: waiter.mustWait,
        go(done) {
          clearTimeout(timer);
          waiter.go(done);
        },
      };
      const timer = setTimeout(() => {
        leave();
        waiter.go(() => {});
      }, ms);
      timer.unref();
      room.waiting.add(own);
      return leave;
    },
  };
}
