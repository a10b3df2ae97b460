import type { Database } from "../kernel/state.ts";

/** Large messages lie in pieces that are written as they arrive, so that none is ever in memory whole. */
export interface PieceStore {
  /** A number for the pieces of one message; never given twice. */
  newSpool(): number;
  addPiece(spool: number, part: number, bytes: Buffer): void;
  pieceCount(spool: number): number;
  pieces(spool: number): Iterable<Buffer>;
  /** At most the first `most` bytes. */
  joined(spool: number, most: number): Buffer;
  dropSpool(spool: number): void;
  dropAllPieces(): void;
}

export function openPieces(db: Database): PieceStore {
  const statement = {
    add: db.prepare("INSERT INTO main.smtp_pieces (part, wall_spool, wall_bytes) VALUES (?, ?, ?)"),
    one: db.prepare("SELECT wall_bytes FROM main.smtp_pieces WHERE wall_spool = ? AND part = ?").pluck(),
    count: db.prepare("SELECT count(*) FROM main.smtp_pieces WHERE wall_spool = ?").pluck(),
    drop: db.prepare("DELETE FROM main.smtp_pieces WHERE wall_spool = ?"),
    dropAll: db.prepare("DELETE FROM main.smtp_pieces"),
  };
  // Pieces whose message never became complete: the process ended in the middle of it.
  db.exec(
    "DELETE FROM main.smtp_pieces WHERE wall_spool NOT IN (SELECT wall_spool FROM main.smtp_messages WHERE wall_spool IS NOT NULL)",
  );
  let last = Number(db.prepare("SELECT coalesce(max(wall_spool), 0) FROM main.smtp_pieces").pluck().get());

  // One query for each piece: an open iterator would hold up every write until its reader is done.
  function* pieces(spool: number): Iterable<Buffer> {
    for (let part = 0; ; part += 1) {
      const bytes = statement.one.get(spool, part) as Buffer | undefined;
      if (bytes === undefined) return;
      yield bytes;
    }
  }

  return {
    newSpool() {
      last += 1;
      return last;
    },
    addPiece: (spool, part, bytes) => void statement.add.run(part, spool, bytes),
    pieceCount: (spool) => Number(statement.count.get(spool)),
    pieces,
    joined(spool, most) {
      const taken: Buffer[] = [];
      let length = 0;
      for (const bytes of pieces(spool)) {
        taken.push(bytes.subarray(0, most - length));
        length += bytes.length;
        if (length >= most) break;
      }
      return Buffer.concat(taken);
    },
    dropSpool: (spool) => void statement.drop.run(spool),
    dropAllPieces: () => void statement.dropAll.run(),
  };
}
