import type { Yield } from '../../schemas/facts.ts';

/** A port that a program's manifest pins. */
interface Pin {
  port: number;
  /** Whether nothing but the port keeps the program from moving there. */
  isReady: boolean;
}

/** Which program pins which port, and who waits for whom by that. */
export interface Pins {
  /** The port it pins from now on; undefined for none. */
  set(name: string, port: number | undefined): void;
  /**
   * Whether nothing but the port keeps it from moving there. Gives who has to give way by that, where it is news: see
   * `yields`.
   */
  setReady(name: string, isReady: boolean): string | undefined;
  isReady(name: string): boolean;
  isPinnedBy(name: string, port: number): boolean;
  /** Programs that pin a port which they do not hold, those that have waited longest first. */
  waitingFor(port: number): string[];
  /**
   * Whether who holds the port it pins is about to let go of it: it goes, has another port already, or waits in the
   * same circle.
   */
  isPassing(name: string): boolean;
  /**
   * Set where programs wait for each other's ports in a circle, all of them ready to move, and this is the one that
   * has to give way: the first by name, so that every host picks the same.
   */
  yields(name: string): Yield | undefined;
}

/**
 * @param holder of a port
 * @param isGoing whether that program is deleted, or seems to be
 */
export function createPins(
  holder: (port: number) => string | undefined,
  isGoing: (name: string) => boolean,
): Pins {
  const pins = createPinned();

  /** Who holds what it pins, where that is somebody else. */
  const waitsOn = (name: string): string | undefined => {
    const pin = pins.get(name);
    const other = pin && holder(pin.port);
    return other === name ? undefined : other;
  };

  /** The circle of programs ready to move that this one waits in, itself first; empty where there is none. */
  function circleOf(name: string): string[] {
    const circle: string[] = [];
    for (let one: string | undefined = name; one !== undefined; one = waitsOn(one)) {
      if (one === name && circle.length > 0) return circle;
      if (circle.includes(one) || !isReady(one)) return [];
      circle.push(one);
    }
    return [];
  }

  /** Whether it is about to let go of that port. @param seen those that wait for it to do so */
  function leaves(name: string, port: number, seen: Set<string>): boolean {
    if (isGoing(name)) return true;
    const pin = pins.get(name);
    // What pins the very port stays, and so does, for now, what can not move yet.
    if (pin === undefined || pin.port === port || !pin.isReady) return false;
    const other = holder(pin.port);
    if (other === undefined || other === name) return other === name;
    return seen.has(name) || leaves(other, pin.port, seen.add(name));
  }

  const isReady = (name: string): boolean => pins.get(name)?.isReady === true;

  return {
    isReady,
    isPinnedBy: (name, port) => pins.get(name)?.port === port,
    set(name, port) {
      if (port === undefined) pins.delete(name);
      else if (pins.get(name)?.port !== port) pins.set(name, port);
    },
    setReady(name, isReady) {
      const pin = pins.get(name);
      const isNews = pin !== undefined && pin.isReady !== isReady;
      if (isNews) pin.isReady = isReady;
      return isNews ? circleOf(name).toSorted()[0] : undefined;
    },
    waitingFor: (port) => pins.of(port).filter((name) => holder(port) !== name),
    isPassing(name) {
      const pin = pins.get(name);
      const other = waitsOn(name);
      return pin !== undefined && other !== undefined && leaves(other, pin.port, new Set());
    },
    yields(name) {
      const circle = circleOf(name);
      if (circle.toSorted()[0] !== name) return undefined;
      const to = circle.at(-1) ?? name;
      return { to, port: pins.get(to)?.port ?? 0 };
    },
  };
}

/** The pins by program, and the programs by port, those that have pinned it longest first. */
function createPinned() {
  const pins = new Map<string, Pin>();
  const names = new Map<number, Set<string>>();
  const drop = (name: string): void => {
    const port = pins.get(name)?.port;
    if (port === undefined) return;
    pins.delete(name);
    const others = names.get(port);
    others?.delete(name);
    if (others?.size === 0) names.delete(port);
  };
  return {
    get: (name: string) => pins.get(name),
    of: (port: number) => [...(names.get(port) ?? [])],
    delete: drop,
    /** At the end: it begins to wait. */
    set(name: string, port: number): void {
      drop(name);
      pins.set(name, { port, isReady: false });
      names.set(port, (names.get(port) ?? new Set()).add(name));
    },
  };
}
