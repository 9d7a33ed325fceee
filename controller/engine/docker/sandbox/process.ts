/**
 * The room of what a network sandbox is made of, as bytes: the process that waits in it, and its image. Pure; what has
 * an engine load it is `controller/engine/docker/ensure-sandbox-image.ts`.
 */

import { AMD64 } from './amd64.ts';
import { ARM64 } from './arm64.ts';
import { elf64 } from './elf.ts';
import { readListing } from './listing.ts';

/** By the name that images have for it. */
export type Architecture = 'amd64' | 'arm64';

const MACHINES: Readonly<Record<Architecture, { listing: string; machine: number }>> = {
  amd64: { listing: AMD64, machine: 62 },
  arm64: { listing: ARM64, machine: 183 },
};

/** A static executable that waits for SIGTERM, also as pid 1, and ends with code 0. It uses no CPU meanwhile. */
export function sandboxProcess(architecture: Architecture): Buffer {
  const { listing, machine } = MACHINES[architecture];
  return elf64(machine, Buffer.concat(readListing(listing).map(({ bytes }) => bytes)));
}
