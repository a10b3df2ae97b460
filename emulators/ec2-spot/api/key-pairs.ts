/** Key pairs: names that instances refer to. */
import { createHash } from "node:crypto";
import type { KeyPair } from "../domain/resources.ts";
import { matchesAny } from "../domain/wildcard.ts";
import { reject } from "../errors.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { instantText } from "../wire/time.ts";
import { element, itemList, maybe, tagSetXml } from "../wire/xml.ts";
import { type Facts, sift } from "./describe.ts";
import { ownerOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { tagsFor } from "./tag-specifications.ts";

const keyFacts: Facts<KeyPair> = {
  fingerprint: ({ fingerprint }) => [fingerprint],
  "key-name": ({ name }) => [name],
  "key-pair-id": ({ id }) => [id],
};

export const describeKeyPairs: Operation = {
  service: "ec2",
  action: "DescribeKeyPairs",
  parameters: parameterNames("KeyName KeyPairId IncludePublicKey DryRun Filter"),
  run(call) {
    const all = call.runtime.state.resources.key.list(ownerOf(call));
    const names = call.parameters.list("KeyName");
    const ids = call.parameters.list("KeyPairId");
    for (const name of names) if (!all.some((key) => key.name === name)) reject("keyNotFound", name);
    for (const id of ids) if (!all.some((key) => key.id === id)) reject("keyNotFound", id);
    const shown = call.parameters.flag("IncludePublicKey");
    const found = sift(
      all.filter(
        ({ name, id }) => (names.length === 0 || matchesAny(names, name)) && (ids.length === 0 || ids.includes(id)),
      ),
      call.parameters.filters(),
      keyFacts,
    );
    stopDryRun(call);
    const set = found.map(
      (key) =>
        element("keyPairId", key.id) +
        element("keyName", key.name) +
        element("keyFingerprint", key.fingerprint) +
        element("keyType", key.type) +
        tagSetXml(key.tags) +
        (shown ? element("publicKey", key.publicKey) : "") +
        element("createTime", instantText(key.createdAt)),
    );
    return answerEc2(call, "DescribeKeyPairs", itemList("keySet", set));
  },
};

function addKey(call: Call, node: Node, publicKey: (id: string) => string): KeyPair {
  const owner = ownerOf(call);
  const name = node.text("KeyName") ?? reject("missingParameter", "KeyName");
  const { resources } = call.runtime.state;
  if (resources.key.list(owner).some((key) => key.name === name)) reject("keyTaken", name);
  const tags = tagsFor(node, "key-pair", ["key-pair"]);
  const type = node.text("KeyType") ?? "rsa";
  if (type !== "rsa" && type !== "ed25519") reject("badValue", "keyType", type);
  stopDryRun(call);
  return call.runtime.store.write(() => {
    const id = `key-${call.runtime.ids.derive("ec2.key", [owner.account, owner.region, name]).hex(17)}`;
    const material = publicKey(id);
    const hash = createHash("sha1").update(material).digest("hex");
    const key: KeyPair = {
      id,
      ...owner,
      tags,
      name,
      type,
      fingerprint: hash.match(/../g)?.join(":") ?? hash,
      createdAt: call.runtime.clock.now(),
      publicKey: material,
    };
    resources.key.put(key);
    return key;
  });
}

function keyXml(key: KeyPair): string {
  return (
    element("keyName", key.name) +
    element("keyFingerprint", key.fingerprint) +
    element("keyPairId", key.id) +
    tagSetXml(key.tags)
  );
}

/** The "private key" is base64 of derived bytes in PEM armour: clients write it to a file, nothing here is opened by it. */
export const createKeyPair: Operation = {
  service: "ec2",
  action: "CreateKeyPair",
  parameters: parameterNames("KeyName KeyType KeyFormat DryRun TagSpecification.*"),
  run(call) {
    const key = addKey(call, treeOf(call.parameters), (id) => `ssh-rsa ${derived(call, id, 9)} backlot`);
    const material =
      derived(call, key.id, 40)
        .match(/.{1,64}/g)
        ?.join("\n") ?? "";
    const pem = `-----BEGIN RSA PRIVATE KEY-----\n${material}\n-----END RSA PRIVATE KEY-----`;
    return answerEc2(call, "CreateKeyPair", keyXml(key) + element("keyMaterial", pem));
  },
};

function derived(call: Call, id: string, blocks: number): string {
  const parts = Array.from({ length: blocks }, (_, part) =>
    call.runtime.ids.fixed("ec2.key-material", [id, part]).bytes(),
  );
  return Buffer.concat(parts).toString("base64");
}

export const importKeyPair: Operation = {
  service: "ec2",
  action: "ImportKeyPair",
  parameters: parameterNames("KeyName PublicKeyMaterial DryRun TagSpecification.*"),
  run(call) {
    const node = treeOf(call.parameters);
    const given = node.text("PublicKeyMaterial") ?? reject("missingParameter", "PublicKeyMaterial");
    const text = Buffer.from(given, "base64").toString("utf8");
    if (!/^(ssh-(rsa|ed25519) |-----BEGIN|---- BEGIN)/.test(text))
      reject("invalidValue", "Key is not in valid OpenSSH public key format");
    return answerEc2(call, "ImportKeyPair", keyXml(addKey(call, node, () => text)));
  },
};

export const deleteKeyPair: Operation = {
  service: "ec2",
  action: "DeleteKeyPair",
  parameters: parameterNames("KeyName KeyPairId DryRun"),
  run(call) {
    const name = call.parameters.text("KeyName");
    const id = call.parameters.text("KeyPairId");
    if (name === undefined && id === undefined) reject("missingParameter", "KeyName");
    const { resources } = call.runtime.state;
    const key = resources.key.list(ownerOf(call)).find((one) => one.name === name || one.id === id);
    stopDryRun(call);
    // Deleting what is not there succeeds.
    if (key) call.runtime.store.write(() => resources.key.remove(key.id));
    return answerEc2(call, "DeleteKeyPair", element("return", true) + maybe("keyPairId", key?.id));
  },
};
