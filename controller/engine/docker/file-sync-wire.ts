import protobuf from 'protobufjs';

/** What goes over the wire: tonistiigi/fsutil's `types/wire.proto`, the same from Docker 18.09 to 28.5. */
const WIRE = `
  syntax = "proto3";
  message Stat {
    string path = 1;
    uint32 mode = 2;
    int64 size = 5;
    string linkname = 7;
  }
  message Packet {
    int32 type = 1;
    Stat stat = 2;
    uint32 ID = 3;
    bytes data = 4;
  }
`;

export const PACKET = { stat: 0, request: 1, data: 2, fin: 3, error: 4 } as const;

export interface Packet {
  type: number;
  stat?: { path: string; mode: number; size: number; linkname: string };
  ID?: number;
  data?: Uint8Array;
}

/** As grpc-js takes a service without a file of its own. */
export function fileSyncService() {
  const type = protobuf.parse(WIRE, { keepCase: true }).root.lookupType('Packet');
  const encode = (packet: Packet) => Buffer.from(type.encode(type.fromObject(packet)).finish());
  const decode = (bytes: Buffer) => type.toObject(type.decode(bytes), { longs: Number }) as unknown as Packet;
  return {
    DiffCopy: {
      path: '/moby.filesync.v1.FileSync/DiffCopy',
      ...{ requestStream: true, responseStream: true },
      ...{ requestSerialize: encode, requestDeserialize: decode },
      ...{ responseSerialize: encode, responseDeserialize: decode },
    },
  } as const;
}

/** What goes over the wire: BuildKit's `session/auth/auth.proto`, of which this call is enough. */
const AUTH = `
  syntax = "proto3";
  message CredentialsRequest {
    string Host = 1;
  }
  message CredentialsResponse {
    string Username = 1;
    string Secret = 2;
  }
`;

export interface WireCredentials {
  Username?: string;
  Secret?: string;
}

/** Of what base images are fetched with. */
export function authService() {
  const { root } = protobuf.parse(AUTH, { keepCase: true });
  const form = (name: string) => {
    const type = root.lookupType(name);
    return {
      encode: (message: object) => Buffer.from(type.encode(type.fromObject(message)).finish()),
      decode: (bytes: Buffer) => type.toObject(type.decode(bytes), { defaults: true }),
    };
  };
  const request = form('CredentialsRequest');
  const response = form('CredentialsResponse');
  return {
    Credentials: {
      path: '/moby.filesync.v1.Auth/Credentials',
      ...{ requestStream: false, responseStream: false },
      ...{ requestSerialize: request.encode, requestDeserialize: request.decode },
      ...{ responseSerialize: response.encode, responseDeserialize: response.decode },
    },
  } as const;
}

/** BuildKit asks every second, and closes a session that does not answer. */
export const healthService = () => ({ Check: plain('/grpc.health.v1.Health/Check') });

/** `SERVING` */
export const HEALTHY = Buffer.from([0x08, 0x01]);

/** A call whose messages are given as bytes. */
function plain(path: string) {
  const same = (bytes: Buffer) => bytes;
  return {
    path,
    ...{ requestStream: false, responseStream: false },
    ...{ requestSerialize: same, requestDeserialize: same },
    ...{ responseSerialize: same, responseDeserialize: same },
  } as const;
}
