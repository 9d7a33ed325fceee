/** What is to be in a volume that is made for it, see `Engine.fillVolume`. */
export interface FillVolume {
  volume: string;
  labels: Record<string, string>;
  content: AsyncIterable<Uint8Array>;
  /** Of the folder itself, asked for when all was read; undefined: as the engine makes it. */
  root: () => VolumeRoot | undefined;
}

export interface VolumeRoot {
  mode: number;
  uid: number;
  gid: number;
  mtime?: Date;
}
