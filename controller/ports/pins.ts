import type { Yield } from '../../schemas/facts.ts';
import { createTwoWay } from './two-way.ts';

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
  /** The port that each program's manifest pins. */
  const pins = createTwoWay<string, number>();
  /** Of these, the programs that nothing but the port keeps from moving there. */
  const ready = new Set<string>();

  /** Who holds what it pins, where that is somebody else. */
  const waitsOn = (name: string): string | undefined => {
    const port = pins.get(name);
    const other = port === undefined ? undefined : holder(port);
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
    const pinned = pins.get(name);
    // What pins the very port stays, and so does, for now, what can not move yet.
    if (pinned === undefined || pinned === port || !isReady(name)) return false;
    const other = holder(pinned);
    if (other === undefined || other === name) return other === name;
    return seen.has(name) || leaves(other, pinned, seen.add(name));
  }

  const isReady = (name: string): boolean => ready.has(name);

  return {
    isReady,
    isPinnedBy: (name, port) => pins.get(name) === port,
    set(name, port) {
      if (pins.get(name) === port) return;
      ready.delete(name);
      if (port === undefined) pins.delete(name);
      else pins.set(name, port);
    },
    setReady(name, isNow) {
      if (pins.get(name) === undefined || isReady(name) === isNow) return undefined;
      if (isNow) ready.add(name);
      else ready.delete(name);
      return circleOf(name).toSorted()[0];
    },
    waitingFor: (port) => pins.keysOf(port).filter((name) => holder(port) !== name),
    isPassing(name) {
      const pinned = pins.get(name);
      const other = waitsOn(name);
      return pinned !== undefined && other !== undefined && leaves(other, pinned, new Set());
    },
    yields(name) {
      const circle = circleOf(name);
      if (circle.toSorted()[0] !== name) return undefined;
      const to = circle.at(-1) ?? name;
      return { to, port: pins.get(to) ?? 0 };
    },
  };
}
