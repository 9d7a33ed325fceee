/** Something done that can be taken back, until it is done for good. */
export interface Reversible {
  undo(): Promise<void>;
  done(): Promise<void>;
}
