import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { aclXattr, idsOf } from "../../../../builder/inputs/tar/acl-xattr.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-acl-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ids = { user: idsOf("lisa:x:1001:1001::/home/lisa:/bin/sh\n"), group: idsOf("staff:x:50:\n") };

describe("an ACL in tar's words", () => {
  it("is the xattr that setfacl makes", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    execFileSync("setfacl", ["-m", "u:1001:r,u:7:rwx,g:50:x,m:rwx", file]);
    const made = execFileSync("getfattr", [
      "-e",
      "hex",
      "--only-values",
      "-n",
      "system.posix_acl_access",
      file,
    ]);
    const words = "user::rw-,user:lisa:r--,group::r--,user:7:rwx,group:staff:--x,mask::rwx,other::r--";
    expect(aclXattr(words, "file", ids)).toBe(made.toString("latin1"));
    expect(aclXattr(words.replace("user:7:rwx", "user:bin:rwx:7"), "file", ids)).toBe(
      made.toString("latin1"),
    );
  });

  it.each(["user:nobody-knows:r--", "person::r--", "user::rq-", "mask:lisa:r--", "user:99999999999:r--"])(
    "is refused with %s",
    (words) => {
      expect(() => aclXattr(words, "file", ids)).toThrow(words);
    },
  );
});
