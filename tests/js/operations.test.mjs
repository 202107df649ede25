// The JavaScript SDK, unmodified, against a server: each operation, the paginators, errors, tags, tokens. Started by tests/test_js_sdk.py.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import * as sdk from "@aws-sdk/client-billingconductor";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const { PROFORMA_ENDPOINT: endpoint, PROFORMA_PAYER: payer, PROFORMA_TRANSFER: transfer } = process.env;
// Operations of the model that are younger than the client.
const LATER = ["GetBillingTransferPreference", "UpdateBillingTransferPreference"];
const options = {
  endpoint,
  region: "us-east-1",
  maxAttempts: 1,
  credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY },
};
const client = new sdk.BillingconductorClient(options);
const called = new Set();
let number = 0;
const name = (kind) => `js-${kind}-${++number}`;
const account = () => String(300000000000 + ++number);

async function ask(operation, input) {
  const { $metadata, ...output } = await client.send(new sdk[`${operation}Command`](input));
  assert.ok($metadata.requestId, operation);
  called.add(operation);
  return output;
}

/** An operation that the client does not have: its signer and transport, around a request of another. */
async function askLater(operation, method, path, input) {
  const command = new sdk.ListBillingGroupsCommand({});
  let answer;
  const rewritten = (next) => async (args) => {
    Object.assign(args.request, { method, path, body: JSON.stringify(input) });
    args.request.headers["content-length"] = String(Buffer.byteLength(args.request.body));
    return next(args);
  };
  const read = (next) => async (args) => {
    const result = await next(args);
    const chunks = [];
    for await (const chunk of result.response.body) chunks.push(chunk);
    result.response.body = new Uint8Array(Buffer.concat(chunks));
    answer = JSON.parse(Buffer.concat(chunks));
    return result;
  };
  command.middlewareStack.add(rewritten, { step: "build", priority: "high" });
  command.middlewareStack.add(read, { step: "deserialize", priority: "low" });
  await client.send(command);
  called.add(operation);
  return answer;
}

async function refused(error, status, call) {
  const raised = await call().then(() => assert.fail(`expected ${error.name}`), (raised) => raised);
  assert.ok(raised instanceof error, `${raised}`);
  assert.equal(raised.name, error.name);
  assert.equal(raised.$metadata.httpStatusCode, status);
  assert.ok(raised.message, "an error has words");
  assert.ok(raised.$metadata.requestId);
  return raised;
}

async function walked(paginate, input, members, config = {}) {
  const found = [];
  let pages = 0;
  for await (const page of paginate({ client, ...config }, input)) {
    pages += 1;
    found.push(...page[members]);
  }
  return { found, pages };
}

const global = (more) => ({ Name: name("rule"), Scope: "GLOBAL", Type: "MARKUP", ModifierPercentage: 10, ...more });
const flat = (group, more) => ({
  Name: name("item"),
  Description: "Managed service",
  BillingGroupArn: group,
  ChargeDetails: { Type: "FEE", Flat: { ChargeValue: 12.5 } },
  BillingPeriodRange: { InclusiveStartBillingPeriod: "2026-11" },
  ...more,
});
async function newGroup(plan, members = [account()]) {
  const given = { Name: name("group"), PrimaryAccountId: members[0], AccountGrouping: { LinkedAccountIds: members }, ComputationPreference: { PricingPlanArn: plan } };
  return (await ask("CreateBillingGroup", given)).Arn;
}

after(() => client.destroy());

test("sts tells who asks", async () => {
  const sts = new STSClient(options);
  const { Account, Arn, UserId } = await sts.send(new GetCallerIdentityCommand({}));
  assert.equal(Account, payer);
  assert.match(Arn, new RegExp(`^arn:aws:iam::${payer}:`));
  assert.ok(UserId);
  sts.destroy();
});

test("pricing rules and plans", async () => {
  const { Arn: rule } = await ask("CreatePricingRule", global());
  assert.match(rule, new RegExp(`^arn:aws:billingconductor::${payer}:pricingrule/[a-zA-Z0-9]{10}$`));
  const updated = await ask("UpdatePricingRule", { Arn: rule, ModifierPercentage: 7.25 });
  assert.equal(updated.ModifierPercentage, 7.25);
  const { PricingRules } = await ask("ListPricingRules", { Filters: { Arns: [rule] } });
  assert.deepEqual(PricingRules.map((it) => [it.Arn, it.Type, it.Scope, it.ModifierPercentage]), [[rule, "MARKUP", "GLOBAL", 7.25]]);
  assert.equal(typeof PricingRules[0].CreationTime, "number");

  const { Arn: plan } = await ask("CreatePricingPlan", { Name: name("plan"), Description: "Ärger & <words>" });
  await ask("AssociatePricingRules", { Arn: plan, PricingRuleArns: [rule] });
  assert.deepEqual((await ask("ListPricingRulesAssociatedToPricingPlan", { PricingPlanArn: plan })).PricingRuleArns, [rule]);
  assert.deepEqual((await ask("ListPricingPlansAssociatedWithPricingRule", { PricingRuleArn: rule })).PricingPlanArns, [plan]);
  const { PricingPlans } = await ask("ListPricingPlans", { Filters: { Arns: [plan] } });
  assert.deepEqual(PricingPlans.map((it) => [it.Description, it.Size]), [["Ärger & <words>", 1]]);
  assert.equal((await ask("UpdatePricingPlan", { Arn: plan, Description: "other" })).Description, "other");
  await ask("DisassociatePricingRules", { Arn: plan, PricingRuleArns: [rule] });
  assert.deepEqual(await ask("DeletePricingPlan", { Arn: plan }), { Arn: plan });
  assert.deepEqual(await ask("DeletePricingRule", { Arn: rule }), { Arn: rule });
});

test("billing groups and their accounts", async () => {
  const { Arn: plan } = await ask("CreatePricingPlan", { Name: name("plan") });
  const members = [account(), account()];
  const group = await newGroup(plan, members);
  assert.equal(group, `arn:aws:billingconductor::${payer}:billinggroup/${members[0]}`);
  const more = account();
  assert.deepEqual(await ask("AssociateAccounts", { Arn: group, AccountIds: [more] }), { Arn: group });
  const { LinkedAccounts } = await ask("ListAccountAssociations", { Filters: { Association: group } });
  assert.deepEqual(LinkedAccounts.map((it) => it.AccountId).sort(), [...members, more].sort());
  await ask("DisassociateAccounts", { Arn: group, AccountIds: [more] });
  const called = name("group");
  assert.equal((await ask("UpdateBillingGroup", { Arn: group, Name: called })).Name, called);
  const { BillingGroups } = await ask("ListBillingGroups", { Filters: { Arns: [group] } });
  assert.deepEqual(BillingGroups.map((it) => [it.Name, it.Size, it.Status, it.PrimaryAccountId]), [[called, 2, "ACTIVE", members[0]]]);
  assert.equal(BillingGroups[0].ComputationPreference.PricingPlanArn, plan);
  await ask("ListBillingGroupCostReports", { Filters: { BillingGroupArns: [group] } });
  const { BillingGroupCostReportResults } = await ask("GetBillingGroupCostReport", { Arn: group, GroupBy: ["PRODUCT_NAME"] });
  assert.ok(Array.isArray(BillingGroupCostReportResults));
  assert.deepEqual(await ask("DeleteBillingGroup", { Arn: group }), { Arn: group });
});

test("custom line items", async () => {
  const { Arn: plan } = await ask("CreatePricingPlan", { Name: name("plan") });
  const group = await newGroup(plan);
  const { Arn: item } = await ask("CreateCustomLineItem", flat(group));
  const percentage = { Type: "CREDIT", Percentage: { PercentageValue: 0.1 } };
  const { Arn: share } = await ask("CreateCustomLineItem", flat(group, { ChargeDetails: percentage }));
  const associated = await ask("BatchAssociateResourcesToCustomLineItem", { TargetArn: share, ResourceArns: [item] });
  assert.deepEqual(associated.SuccessfullyAssociatedResources, [{ Arn: item }]);
  assert.deepEqual(associated.FailedAssociatedResources, []);
  const listed = await ask("ListResourcesAssociatedToCustomLineItem", { Arn: share });
  assert.ok(listed.AssociatedResources.some((it) => it.Arn === item && it.Relationship === "CHILD"));
  const removed = await ask("BatchDisassociateResourcesFromCustomLineItem", { TargetArn: share, ResourceArns: [item] });
  assert.deepEqual(removed.SuccessfullyDisassociatedResources, [{ Arn: item }]);
  const updated = await ask("UpdateCustomLineItem", { Arn: item, ChargeDetails: { Flat: { ChargeValue: 0.07 } } });
  assert.equal(updated.ChargeDetails.Flat.ChargeValue, 0.07);
  const { CustomLineItems } = await ask("ListCustomLineItems", { Filters: { Arns: [item] } });
  assert.deepEqual(CustomLineItems.map((it) => [it.Arn, it.BillingGroupArn, it.ChargeDetails.Flat.ChargeValue, it.CurrencyCode]), [[item, group, 0.07, "USD"]]);
  const { CustomLineItemVersions } = await ask("ListCustomLineItemVersions", { Arn: item });
  assert.deepEqual(CustomLineItemVersions.map((it) => [it.Arn, it.StartBillingPeriod]), [[item, "2026-11"]]);
  assert.deepEqual(await ask("DeleteCustomLineItem", { Arn: share }), { Arn: share });
});

test("tags, by an arn in the path", async () => {
  const { Arn: ResourceArn } = await ask("CreatePricingRule", global({ Tags: { team: "blue" } }));
  await ask("TagResource", { ResourceArn, Tags: { "a b+c/é": "x=y&z", empty: "" } });
  assert.deepEqual((await ask("ListTagsForResource", { ResourceArn })).Tags, { team: "blue", "a b+c/é": "x=y&z", empty: "" });
  await ask("UntagResource", { ResourceArn, TagKeys: ["a b+c/é", "team"] });
  assert.deepEqual((await ask("ListTagsForResource", { ResourceArn })).Tags, { empty: "" });
});

test("paginators walk all pages", async () => {
  const { Arn: plan } = await ask("CreatePricingPlan", { Name: name("plan") });
  const rules = [];
  for (let at = 0; at < 5; at += 1) rules.push((await ask("CreatePricingRule", global({ Scope: "SERVICE", Service: `Js${at}` }))).Arn);
  await ask("AssociatePricingRules", { Arn: plan, PricingRuleArns: rules });
  const group = await newGroup(plan, Array.from({ length: 5 }, account));
  const items = [];
  for (let at = 0; at < 5; at += 1) items.push((await ask("CreateCustomLineItem", flat(group))).Arn);
  const arns = (found) => found.map((it) => it.Arn ?? it).sort();
  for (const [paginate, input, members, wanted] of [
    [sdk.paginateListPricingRules, { Filters: { Arns: rules } }, "PricingRules", rules],
    [sdk.paginateListPricingRulesAssociatedToPricingPlan, { PricingPlanArn: plan }, "PricingRuleArns", rules],
    [sdk.paginateListCustomLineItems, { Filters: { BillingGroups: [group] } }, "CustomLineItems", items],
  ]) {
    const { found, pages } = await walked(paginate, input, members, { pageSize: 2 });
    assert.deepEqual([arns(found), pages], [[...wanted].sort(), 3], members);
  }
  // The others are walked to their end; two of them page by what the server chooses.
  for (const [paginate, input, members] of [
    [sdk.paginateListPricingPlans, {}, "PricingPlans"],
    [sdk.paginateListPricingPlansAssociatedWithPricingRule, { PricingRuleArn: rules[0] }, "PricingPlanArns"],
    [sdk.paginateListBillingGroups, {}, "BillingGroups"],
    [sdk.paginateListBillingGroupCostReports, {}, "BillingGroupCostReports"],
    [sdk.paginateListAccountAssociations, { Filters: { Association: group } }, "LinkedAccounts"],
    [sdk.paginateListCustomLineItemVersions, { Arn: items[0] }, "CustomLineItemVersions"],
    [sdk.paginateListResourcesAssociatedToCustomLineItem, { Arn: items[0] }, "AssociatedResources"],
    [sdk.paginateGetBillingGroupCostReport, { Arn: group }, "BillingGroupCostReportResults"],
  ]) {
    const { found } = await walked(paginate, input, members);
    assert.ok(Array.isArray(found), members);
  }
});

test("an idempotency token repeats an answer", async () => {
  const given = { Name: name("plan"), ClientToken: name("token") };
  const first = await ask("CreatePricingPlan", given);
  assert.deepEqual(await ask("CreatePricingPlan", given), first);
  const other = await refused(sdk.ValidationException, 400, () => ask("CreatePricingPlan", { ...given, Description: "other" }));
  assert.equal(other.Reason, "OTHER");
  // Without one the client makes one for each call, so that the second is a request of its own.
  const untold = { Name: name("plan") };
  await ask("CreatePricingPlan", untold);
  await refused(sdk.ConflictException, 409, () => ask("CreatePricingPlan", untold));
});

test("errors have their classes, statuses and members", async () => {
  const invalid = await refused(sdk.ValidationException, 400, () => ask("CreatePricingPlan", { Name: "no spaces here" }));
  assert.equal(invalid.Reason, "FIELD_VALIDATION_FAILED");
  assert.deepEqual(invalid.Fields.map((it) => [it.Name, typeof it.Message]), [["Name", "string"]]);

  const plan = (await ask("CreatePricingPlan", { Name: name("plan") })).Arn;
  const taken = (await ask("ListPricingPlans", { Filters: { Arns: [plan] } })).PricingPlans[0].Name;
  const conflict = await refused(sdk.ConflictException, 409, () => ask("CreatePricingPlan", { Name: taken }));
  assert.deepEqual([conflict.Reason, conflict.ResourceType, conflict.ResourceId.length > 0], ["RESOURCE_NAME_CONFLICT", "pricingplan", true]);

  const missing = `arn:aws:billingconductor::${payer}:billinggroup/399999999999`;
  const absent = await refused(sdk.ResourceNotFoundException, 404, () => ask("UpdateBillingGroup", { Arn: missing, Description: "x" }));
  assert.equal(absent.ResourceType, "billinggroup");
  assert.ok(absent.ResourceId);

  const wrong = new sdk.BillingconductorClient({ ...options, credentials: { ...options.credentials, secretAccessKey: "x".repeat(40) } });
  const unsigned = await wrong.send(new sdk.ListBillingGroupsCommand({})).then(() => assert.fail("accepted"), (raised) => raised);
  assert.deepEqual([unsigned.name, unsigned.$metadata.httpStatusCode], ["InvalidSignatureException", 403]);
  wrong.destroy();
});

test("a quota answers 402", async () => {
  const { Arn: plan } = await ask("CreatePricingPlan", { Name: name("plan") });
  const group = await newGroup(plan);
  const filters = [{ Attribute: "LINE_ITEM_TYPE", MatchOption: "NOT_EQUAL", Values: ["SAVINGS_PLAN_NEGATION"] }];
  const filtered = () => flat(group, { ChargeDetails: { Type: "FEE", Percentage: { PercentageValue: 1 }, LineItemFilters: filters } });
  for (let at = 0; at < 10; at += 1) await ask("CreateCustomLineItem", filtered());
  const limited = await refused(sdk.ServiceLimitExceededException, 402, () => ask("CreateCustomLineItem", filtered()));
  assert.equal(limited.ServiceCode, "billingconductor");
  assert.match(limited.LimitCode, /^[A-Z_]+$/);
});

test("operations younger than the client, by its signer", async () => {
  const { Arn: PricingPlanArn } = await ask("CreatePricingPlan", { Name: name("plan") });
  const AutoBillingTransferBillingGroupCreation = { Enabled: true, PricingPlanArn };
  const input = { ResponsibilityTransferArn: transfer, AutoBillingTransferBillingGroupCreation };
  const updated = await askLater("UpdateBillingTransferPreference", "PUT", "/update-billing-transfer-preference", input);
  assert.deepEqual(updated.AutoBillingTransferBillingGroupCreation, AutoBillingTransferBillingGroupCreation);
  const read = await askLater("GetBillingTransferPreference", "POST", "/get-billing-transfer-preference", { ResponsibilityTransferArn: transfer });
  assert.deepEqual([read.ResponsibilityTransferArn, read.AutoBillingTransferBillingGroupCreation], [transfer, AutoBillingTransferBillingGroupCreation]);
});

test("each operation was asked", () => {
  const known = Object.keys(sdk).filter((it) => it.endsWith("Command") && it !== "$Command").map((it) => it.slice(0, -"Command".length));
  // A newer client has them: then they are asked as the others are, and this list goes.
  assert.deepEqual(known.filter((it) => LATER.includes(it)), []);
  assert.deepEqual([...called].sort(), [...known, ...LATER].sort());
  assert.equal(called.size, Number(process.env.PROFORMA_OPERATIONS));
});
