import { LABELS } from '../../schemas/program.ts';

/** Whose the objects on an engine are: those of one registry, under one instance name (ADR 19). */
export interface Owner {
  instance: string;
  /** The registry's id. */
  registry: string;
  /** Where the registry lies, for people; an absolute path. */
  path: string;
}

/** Which registry a host is of. */
export interface RegistryIdentity {
  path: string;
  /** Its id; undefined where that has to be settled first. */
  known(): string | undefined;
  /**
   * Settles the id, and writes it down. Never rejects.
   * @param found labels of every container and volume of the instance, whichever registry's they are
   */
  settle(found: readonly Labels[]): Promise<string>;
}

export type Labels = Readonly<Record<string, string>>;

/** Whose the objects are, as soon as that is settled. */
export interface OwnerSource {
  /** Rejects where the engine can not be asked for what tells it. */
  (): Promise<Owner>;
  known(): Owner | undefined;
}

/**
 * @param look gives the labels of every container and volume of the instance; asked where the registry has no id yet,
 * and again where it rejected
 */
export function createOwnerSource(
  instance: string,
  identity: RegistryIdentity,
  look: () => Promise<readonly Labels[]>,
): OwnerSource {
  const { path } = identity;
  const known = (): Owner | undefined => {
    const registry = identity.known();
    return registry === undefined ? undefined : { instance, registry, path };
  };
  let settling: Promise<string> | undefined;
  const settled = async (): Promise<Owner> => {
    const owner = known();
    if (owner !== undefined) return owner;
    settling ??= look()
      .then(identity.settle)
      .finally(() => {
        settling = undefined;
      });
    return { instance, registry: await settling, path };
  };
  return Object.assign(settled, { known });
}

/** On each container, volume and network that is made. */
export function labelsOf({ instance, registry, path }: Owner): Record<string, string> {
  return { [LABELS.instance]: instance, [LABELS.registry]: registry, [LABELS.registryPath]: path };
}

/**
 * On each network sandbox of a program: never the instance's own label, by which hosts list that know of none.
 * @param program `""` of a spare
 */
export function sandboxLabelsOf(
  { instance, registry, path }: Owner,
  program: string,
): Record<string, string> {
  const own = { [LABELS.sandboxInstance]: instance, [LABELS.sandboxOf]: program };
  return { ...own, [LABELS.registry]: registry, [LABELS.registryPath]: path };
}

/** Whether an object bears the owner's labels, or its instance's alone, as those that older hosts made. */
export function isOwn(owner: Owner, labels: Labels | null | undefined): boolean {
  return labels?.[LABELS.instance] === owner.instance && isOfRegistry(owner, labels);
}

/** Whether it is not another registry's. */
export function isOfRegistry({ registry }: Owner, labels: Labels | null | undefined): boolean {
  const its = labels?.[LABELS.registry] || registry;
  return its === registry;
}

/** By which it says on an image that it has a use for it; and by which older hosts of the instance said so. */
export function claimants({ instance, registry }: Owner): { own: string; older: string } {
  return { own: `${instance}-${registry}`, older: instance };
}

/** Of an object of another registry, or another instance, whose it is, for people; `""` of one that is our own. */
export function describeOther(owner: Owner, labels: Labels): string {
  const { [LABELS.instance]: instance = owner.instance, [LABELS.registryPath]: path = '' } = labels;
  if (instance !== owner.instance) return `the instance ${instance}`;
  return isOfRegistry(owner, labels) ? '' : `the registry ${labels[LABELS.registry]} (${path})`;
}

/** What to do about a name that another registry has. */
export const OTHER_REGISTRY_HINT =
  'Give one of the two hosts another --instance. If that registry is this one, from before its data/ was lost, write its id to data/registry-id and start the host again.';

/** What stands before the names of an instance's objects: nothing for the default one. */
export const instancePrefix = (instance: string): string => (instance === 'default' ? '' : `${instance}-`);
