import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeResumeRecord,
  parseResumeRecord,
  whyGiveUp,
  type ResumeRecord,
} from "../../../agent/boot/resume-record.ts";

describe("the resume record", () => {
  test("is one sector of readable text", () => {
    const sector = encodeResumeRecord({ starts: 2, failures: 1, lastFailure: "no\nroom für 5 €" });
    expect(sector).toHaveLength(512);
    expect(sector.toString("latin1").replaceAll("\0", "")).toMatch(
      /^dualroot resume record\nstarts 2\nfailures 1\nreason no\?room f\?r 5 \?\ncrc32 [0-9a-f]{8}\n$/,
    );
  });

  test("what is written is read, whatever the reason", () => {
    const counts = fc.nat(999_999);
    fc.assert(
      fc.property(
        counts,
        counts,
        fc.option(fc.string({ maxLength: 900 }), { nil: undefined }),
        (starts, failures, reason) => {
          const record: ResumeRecord = {
            starts,
            failures,
            ...(reason === undefined ? {} : { lastFailure: reason }),
          };
          const read = parseResumeRecord(encodeResumeRecord(record));
          expect(read).toMatchObject({ starts, failures });
          expect(read?.lastFailure ?? "").toBe((reason ?? "").replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 300));
        },
      ),
    );
  });

  test("a changed bit makes it unreadable", () => {
    const whole = encodeResumeRecord({ starts: 7, failures: 2, lastFailure: "LVM" });
    fc.assert(
      fc.property(fc.nat(511), fc.integer({ min: 0, max: 7 }), (position, bit) => {
        const changed = Buffer.from(whole);
        changed[position]! ^= 1 << bit;
        expect(parseResumeRecord(changed)).toBeUndefined();
      }),
    );
  });

  test("any other bytes are no record", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(parseResumeRecord(bytes)).toBeUndefined();
      }),
    );
  });
});

test("the third failure and the fifty-first start are too many", () => {
  expect(whyGiveUp({ starts: 50, failures: 2 })).toBeUndefined();
  expect(whyGiveUp({ starts: 1, failures: 3, lastFailure: "sgdisk failed" })).toBe(
    "The conversion failed 3 times, the last time because: sgdisk failed",
  );
  expect(whyGiveUp({ starts: 51, failures: 0 })).toMatch(/started 51 times/);
});
