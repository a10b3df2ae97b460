/** What the control API tells of evidence: types alone, for both sides of the wire. */

export interface ShelvedPack {
  /** The first digits of the fingerprint. */
  readonly id: string;
  readonly name: string;
  readonly title: string;
  /** Those of the archive, which leaves volatile/ out. */
  readonly files: number;
  readonly bytes: number;
  /** SHA-256 of the archive. */
  readonly fingerprint: string;
  /** Virtual time at which it was made. */
  readonly madeAt: string;
}

export interface Finding {
  readonly check:
    | "signature"
    | "changed"
    | "missing"
    | "extra"
    | "entry"
    | "list"
    | "manifest"
    | "secret"
    | "agreement"
    | "fingerprint";
  readonly path: string;
  readonly detail: string;
}

export interface Verdict {
  /** 0 whole, 1 content, 2 signature or key. */
  readonly code: 0 | 1 | 2;
  /** SHA-256 of the uncompressed archive without volatile/; absent where no archive can be made. */
  readonly fingerprint?: string;
  readonly signature: "valid" | "integrity only" | "invalid";
  readonly keyId?: string;
  readonly files: number;
  readonly findings: readonly Finding[];
}
