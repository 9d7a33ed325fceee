/** What people have to know of the host, and can do about it. */
export interface HostWarning {
  /** Of its kind: `PrunePaused`, `StrayContainers`, `RemoteDiverged`, … */
  code: string;
  /** For people, with what to do. */
  message: string;
  /** The programs or containers it is about; where it can be confirmed, all that this lets go. */
  names: readonly string[];
  /** What `POST /registry/prune?only=` takes to let them go; `""` where that is not what to do. */
  confirm: 'programs' | 'strays' | '';
  /** Since when it is so, where that is known better than by who looks for warnings now and then. */
  since?: string;
}

/** `GET /host`, in its words. Sizes are bytes. */
export interface HostView {
  version: string;
  name: string;
  instance: string;
  pid: number;
  started_at: string;
  registry: string;
  /** When nobody looked at its programs in the last week, since no host ran or the engine was away; oldest first. */
  unwatched: readonly Unwatched[];
  warnings: readonly (HostWarning & { since: string })[];
  /** `version` and `runtimes` are null while it does not answer, and then `message` says why. */
  engine: {
    message: string;
    version: string | null;
    runtimes: readonly string[] | null;
    default_runtime: string;
  };
  /** Null where the registry is in no git work tree. */
  git: { head: string; branch: string; operation: string; remote: RemoteView | null } | null;
  work: WorkView;
  /** `held`: how many programs have one. */
  ports: { min: number; max: number; held: number };
  /** What of this host takes up disk, as the last look for what can go found it; null before the first. */
  disk: { looked_at: string; kinds: readonly { kind: string; count: number; bytes: number | null }[] } | null;
  users: readonly UserView[];
  strays: readonly { name: string; program: string; message: string }[];
}

/** RFC 3339, both. */
export interface Unwatched {
  from: string;
  to: string;
}

export interface RemoteView {
  url: string;
  branch: string;
  /** Why it is not followed, or both `""`. */
  reason: string;
  message: string;
}

export interface WorkView {
  /** Programs that wait to be looked at. */
  waiting: number;
  /** Container operations. */
  operations: { running: number; waiting: number; max: number };
  /** Builds and pulls. */
  images: readonly { key: string; programs: readonly string[]; running: boolean }[];
}

export interface UserView {
  user_id: string;
  programs: number;
  /** In state Error, or running with something wrong. */
  down: number;
  /** The sum of what their programs may use. */
  memory_limit_bytes: number;
  cpu_limit: number;
}
