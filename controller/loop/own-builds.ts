import type { Registry } from '../../registry/registry.ts';

/** Whether a program of that user is built under that id, or was, as far as its revisions are kept. */
export async function ownsBuild(
  { status, revisions }: Pick<Registry, 'status' | 'revisions'>,
  userId: string,
  buildId: string,
): Promise<boolean> {
  const names = status.names().filter((name) => status.get(name)?.userId === userId);
  if (names.some((name) => status.get(name)?.buildId === buildId)) return true;
  for (const name of names) {
    const kept = await revisions.list(name).catch(() => []);
    if (kept.some((one) => one.buildId === buildId && one.spec.userId === userId)) return true;
  }
  return false;
}
