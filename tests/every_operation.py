"""A request, or several, for every operation that the server answers: each names whose things it is about, and reaches for all of them that it can.

`of` is somebody's world (`test_every_operation.things`): a customer's, the payer's own, or ids of the same form that nobody has. A request is one that whoever may
would be answered, so that a refusal is one of rights and not of form.
"""
import base64
import json

from organizations import csv_of as organizations_file
from organizations import row
from purchasing import SHIP_TO

PREVIOUS, CURRENT = "2026-10", "2026-11"
MONTH = {"Start": "2026-10-01", "End": "2026-11-01"}
# The desk's clock stands on the tenth of November: lines are told for two weeks.
LAST_DAYS = {"Start": "2026-10-27", "End": "2026-11-01"}
NEXT_MONTH = {"Start": "2026-12-01", "End": "2027-01-01"}
RANGE = {"InclusiveStartBillingPeriod": PREVIOUS}
WITHIN = RANGE | {"ExclusiveEndBillingPeriod": CURRENT}
ABOVE = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0, "ThresholdType": "PERCENTAGE"}
OTHER = ABOVE | {"Threshold": 90.0}
PDF = base64.b64encode(b"%PDF-1.7\n%%EOF\n").decode()


def fresh(kind):
    """A name that nothing has: nothing that is asked for here is ever made."""
    return f"{kind}-anew"


def mail(address):
    return {"SubscriptionType": "EMAIL", "Address": address}


def dimension(key, *values):
    return {"Dimensions": {"Key": key, "Values": list(values)}}


def billingconductor(of):
    flat = {"Flat": {"ChargeValue": 5}, "Type": "FEE"}
    share = {"Percentage": {"PercentageValue": 5, "AssociatedValues": [of.flat, of.group]}, "Type": "FEE"}
    new = {"Name": fresh("made"), "Description": "words"}
    plan = {"ComputationPreference": {"PricingPlanArn": of.plan}}
    return {
        "AssociateAccounts": [{"Arn": of.group, "AccountIds": [of.loose]}, {"Arn": of.own_group, "AccountIds": of.accounts}],
        "AssociatePricingRules": [{"Arn": of.plan, "PricingRuleArns": [of.rule]}],
        "BatchAssociateResourcesToCustomLineItem": [{"TargetArn": of.share, "ResourceArns": [of.flat]}, {"TargetArn": of.own_share, "ResourceArns": [of.flat]}],
        "BatchDisassociateResourcesFromCustomLineItem": [{"TargetArn": of.share, "ResourceArns": [of.flat]}],
        "CreateBillingGroup": [new | plan | {"AccountGrouping": {"LinkedAccountIds": of.accounts}, "PrimaryAccountId": of.accounts[0]},
                               new | plan | {"AccountGrouping": {"ResponsibilityTransferArn": of.transfer}}],
        "CreateCustomLineItem": [new | {"BillingGroupArn": of.group, "AccountId": of.accounts[0], "ChargeDetails": flat},
                                 new | {"BillingGroupArn": of.group, "ChargeDetails": share}],
        "CreatePricingPlan": [{"Name": fresh("made"), "PricingRuleArns": [of.rule]}],
        "CreatePricingRule": [{"Name": fresh("made"), "Scope": "GLOBAL", "Type": "MARKUP", "ModifierPercentage": 5}],
        "DeleteBillingGroup": [{"Arn": of.group}], "DeleteCustomLineItem": [{"Arn": of.flat}], "DeletePricingPlan": [{"Arn": of.plan}],
        "DeletePricingRule": [{"Arn": of.rule}],
        "DisassociateAccounts": [{"Arn": of.group, "AccountIds": of.accounts[1:]}],
        "DisassociatePricingRules": [{"Arn": of.plan, "PricingRuleArns": [of.rule]}],
        "GetBillingGroupCostReport": [{"Arn": of.group, "BillingPeriodRange": WITHIN, "GroupBy": ["PRODUCT_NAME", "BILLING_PERIOD"]}, {"Arn": of.group}],
        "GetBillingTransferPreference": [{"ResponsibilityTransferArn": of.transfer}],
        "ListAccountAssociations": [{}, {"BillingPeriod": PREVIOUS, "Filters": {"AccountIds": of.accounts}}, {"Filters": {"AccountId": of.accounts[0]}},
                                    {"Filters": {"Association": of.group}}, {"Filters": {"Association": "MONITORED"}}],
        "ListBillingGroupCostReports": [{"BillingPeriod": PREVIOUS}, {"BillingPeriod": PREVIOUS, "Filters": {"BillingGroupArns": [of.group]}}],
        "ListBillingGroups": [{}, {"BillingPeriod": PREVIOUS, "Filters": {"Arns": [of.group]}}, {"Filters": {"PrimaryAccountIds": of.accounts}},
                              {"Filters": {"ResponsibilityTransferArns": [of.transfer]}}, {"Filters": {"PricingPlan": of.plan}},
                              {"Filters": {"Names": [{"SearchOption": "STARTS_WITH", "SearchValue": of.name}]}}],
        "ListCustomLineItemVersions": [{"Arn": of.flat}, {"Arn": of.share}],
        "ListCustomLineItems": [{}, {"Filters": {"Arns": [of.flat]}}, {"BillingPeriod": PREVIOUS, "Filters": {"AccountIds": of.accounts}},
                                {"Filters": {"BillingGroups": [of.group]}}, {"Filters": {"Names": [f"{of.name}-fee"]}}],
        "ListPricingPlans": [{}, {"Filters": {"Arns": [of.plan]}}],
        "ListPricingPlansAssociatedWithPricingRule": [{"PricingRuleArn": of.rule}],
        "ListPricingRules": [{}, {"Filters": {"Arns": [of.rule]}}],
        "ListPricingRulesAssociatedToPricingPlan": [{"PricingPlanArn": of.plan}],
        "ListResourcesAssociatedToCustomLineItem": [{"Arn": of.share}],
        "ListTagsForResource": [{"ResourceArn": one} for one in (of.group, of.flat, of.plan, of.rule)],
        "TagResource": [{"ResourceArn": one, "Tags": {"a": "b"}} for one in (of.group, of.flat, of.plan, of.rule)],
        "UntagResource": [{"ResourceArn": of.group, "TagKeys": ["secret"]}],
        "UpdateBillingGroup": [{"Arn": of.group, "Name": fresh("made")} | plan, {"Arn": of.group, "AccountGrouping": {"ResponsibilityTransferArn": of.transfer}}],
        "UpdateBillingTransferPreference": [{"ResponsibilityTransferArn": of.transfer,
                                             "AutoBillingTransferBillingGroupCreation": {"Enabled": True, "PricingPlanArn": of.plan}}],
        "UpdateCustomLineItem": [{"Arn": of.flat, "Name": fresh("made")}],
        "UpdatePricingPlan": [{"Arn": of.plan, "Name": fresh("made")}],
        "UpdatePricingRule": [{"Arn": of.rule, "Name": fresh("made")}],
    }


def billing(of):
    return {
        "AssociateSourceViews": [{"arn": of.custom, "sourceViews": [of.own_view]}],
        "CreateBillingView": [{"name": fresh("made"), "sourceViews": [of.view]}, {"name": fresh("made"), "sourceViews": [of.custom]}],
        "DeleteBillingView": [{"arn": of.custom, "force": True}],
        "DisassociateSourceViews": [{"arn": of.custom, "sourceViews": [of.view]}],
        "GetBillingView": [{"arn": of.view}, {"arn": of.custom}], "GetResourcePolicy": [{"resourceArn": of.view}, {"resourceArn": of.custom}],
        "ListBillingViews": [{}, {"arns": [of.view, of.custom]}, {"ownerAccountId": of.payer}, {"sourceAccountId": of.payer},
                             {"names": [{"searchOption": "STARTS_WITH", "searchValue": of.name}]}],
        "ListSourceViewsForBillingView": [{"arn": of.custom}],
        "ListTagsForResource": [{"resourceArn": of.custom}], "TagResource": [{"resourceArn": of.custom, "resourceTags": [{"key": "a", "value": "b"}]}],
        "UntagResource": [{"resourceArn": of.custom, "resourceTagKeys": ["secret"]}], "UpdateBillingView": [{"arn": of.custom, "name": fresh("made")}],
    }


def export_of(of, **more):
    properties = {"BILLING_VIEW_ARN": of.view}
    output = {"OutputType": "CUSTOM", "Format": "TEXT_OR_CSV", "Compression": "GZIP", "Overwrite": "OVERWRITE_REPORT"}
    return {"Name": f"{of.name}-export", "DataQuery": {"QueryStatement": "SELECT line_item_unblended_cost FROM COST_AND_USAGE_REPORT",
                                                       "TableConfigurations": {"COST_AND_USAGE_REPORT": properties}},
            "DestinationConfigurations": {"S3Destination": {"S3Bucket": "reports", "S3Prefix": of.name, "S3Region": "us-east-1", "S3OutputConfigurations": output}},
            "RefreshCadence": {"Frequency": "SYNCHRONOUS"}} | more


def data_exports(of):
    return {
        "CreateExport": [{"Export": export_of(of, Name=fresh("made"), ExportArn=of.export)}], "DeleteExport": [{"ExportArn": of.export}],
        "GetExecution": [{"ExportArn": of.export, "ExecutionId": of.execution}], "GetExport": [{"ExportArn": of.export}],
        "GetTable": [{"TableName": "COST_AND_USAGE_REPORT"}], "ListExecutions": [{"ExportArn": of.export}], "ListExports": [{}], "ListTables": [{}],
        "ListTagsForResource": [{"ResourceArn": of.export}], "TagResource": [{"ResourceArn": of.export, "ResourceTags": [{"Key": "a", "Value": "b"}]}],
        "UntagResource": [{"ResourceArn": of.export, "ResourceTagKeys": ["secret"]}],
        "UpdateExport": [{"ExportArn": of.export, "Export": export_of(of, Description="mine", ExportArn=of.export)}],
    }


def report_of(of, **more):
    return {"ReportName": f"{of.name}-report", "TimeUnit": "HOURLY", "Format": "textORcsv", "Compression": "GZIP", "AdditionalSchemaElements": [],
            "S3Bucket": "reports", "S3Prefix": f"{of.name}-cur", "S3Region": "us-east-1", "ReportVersioning": "OVERWRITE_REPORT", "BillingViewArn": of.view} | more


def cur(of):
    report = {"ReportName": of.report}
    return {"DeleteReportDefinition": [report], "DescribeReportDefinitions": [{}], "ListTagsForResource": [report],
            "ModifyReportDefinition": [report | {"ReportDefinition": report_of(of, S3Prefix="mine")}],
            "PutReportDefinition": [{"ReportDefinition": report_of(of, ReportName=fresh("made"))}],
            "TagResource": [report | {"Tags": [{"Key": "a", "Value": "b"}]}], "UntagResource": [report | {"TagKeys": ["secret"]}]}


def budget_of(of, **more):
    return {"BudgetName": f"{of.name}-budget", "BudgetLimit": {"Amount": of.amount, "Unit": "USD"}, "TimeUnit": "MONTHLY", "BudgetType": "COST",
            "BillingViewArn": of.view} | more


def budgets(of):
    one = {"AccountId": of.payer, "BudgetName": of.budget}
    resource = {"ResourceARN": of.budget_arn}
    return {
        "CreateBudget": [{"AccountId": of.payer, "Budget": budget_of(of, BudgetName=fresh("made"), BillingViewArn=view)} for view in (of.view, of.custom)],
        "CreateNotification": [one | {"Notification": OTHER, "Subscribers": [mail("eve@example.com")]}],
        "CreateSubscriber": [one | {"Notification": ABOVE, "Subscriber": mail("eve@example.com")}],
        "DeleteBudget": [one], "DeleteNotification": [one | {"Notification": ABOVE}],
        "DeleteSubscriber": [one | {"Notification": ABOVE, "Subscriber": mail(of.email)}],
        "DescribeBudget": [one | {"ShowFilterExpression": True}], "DescribeBudgetNotificationsForAccount": [{"AccountId": of.payer}],
        "DescribeBudgetPerformanceHistory": [one], "DescribeBudgets": [{"AccountId": of.payer}],
        "DescribeNotificationsForBudget": [one], "DescribeSubscribersForNotification": [one | {"Notification": ABOVE}],
        "ListTagsForResource": [resource], "TagResource": [resource | {"ResourceTags": [{"Key": "a", "Value": "b"}]}],
        "UntagResource": [resource | {"ResourceTagKeys": ["secret"]}],
        "UpdateBudget": [{"AccountId": of.payer, "NewBudget": budget_of(of, BudgetName=of.budget)}],
        "UpdateNotification": [one | {"OldNotification": ABOVE, "NewNotification": OTHER}],
        "UpdateSubscriber": [one | {"Notification": ABOVE, "OldSubscriber": mail(of.email), "NewSubscriber": mail("eve@example.com")}],
    }


def category_rules(of):
    return [{"Value": of.name, "Rule": dimension("LINKED_ACCOUNT", *of.accounts)}]


def ce(of):
    """By the view that is named, and without one: then it is whoever asks that a filter must not lead out of."""
    month, monthly = {"TimePeriod": MONTH}, {"TimePeriod": MONTH, "Granularity": "MONTHLY"}
    filters = [dimension("LINKED_ACCOUNT", *of.accounts), dimension("SERVICE", of.service), {"Tags": {"Key": "team", "Values": [of.tag]}},
               {"Not": dimension("LINKED_ACCOUNT", of.accounts[0])}]
    places = [{"BillingViewArn": of.view}, {"BillingViewArn": of.custom}, *({"Filter": one} for one in filters)]
    services = [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}]
    metrics = ["UnblendedCost", "AmortizedCost", "NetUnblendedCost", "UsageQuantity"]
    forecast = {"TimePeriod": NEXT_MONTH, "Granularity": "MONTHLY"}
    kinds = ([{"Type": "TAG", "Key": "team"}], [{"Type": "COST_CATEGORY", "Key": f"{of.name}-kind"}])
    daily = {"TimePeriod": LAST_DAYS, "Granularity": "DAILY", "Metrics": metrics}
    resources = {"GroupBy": [{"Type": "DIMENSION", "Key": "RESOURCE_ID"}, services[1]]}
    category, rules = {"CostCategoryArn": of.category}, {"RuleVersion": "CostCategoryExpression.v1", "Rules": category_rules(of)}
    return {
        "CreateCostCategoryDefinition": [rules | {"Name": fresh("made")}], "DeleteCostCategoryDefinition": [category],
        "DescribeCostCategoryDefinition": [category, category | {"EffectiveOn": "2026-10-01T00:00:00Z"}],
        "ListCostCategoryDefinitions": [{}], "ListCostCategoryResourceAssociations": [{}, category], "ListTagsForResource": [{"ResourceArn": of.category}],
        "TagResource": [{"ResourceArn": of.category, "ResourceTags": [{"Key": "a", "Value": "b"}]}],
        "UntagResource": [{"ResourceArn": of.category, "ResourceTagKeys": ["secret"]}], "UpdateCostCategoryDefinition": [category | rules],
        "GetCostAndUsage": [monthly | place | {"Metrics": metrics, "GroupBy": by} for place in places for by in (services, *kinds)]
        + [daily | {"Granularity": "HOURLY", "BillingViewArn": of.view}],
        "GetCostAndUsageWithResources": [daily | resources | {"Filter": filters[0]}, daily | resources | {"Filter": filters[3], "BillingViewArn": of.view},
                                         daily | {"Filter": dimension("RESOURCE_ID", f"i-{of.name}-0"), "BillingViewArn": of.custom}],
        "GetCostAndUsageComparisons": [place | {"BaselineTimePeriod": MONTH, "ComparisonTimePeriod": {"Start": "2026-11-01", "End": "2026-12-01"},
                                                "MetricForComparison": "UnblendedCost", "GroupBy": services[:1]} for place in places[:3]],
        "GetCostCategories": [month | place for place in places[:3]],
        "GetCostForecast": [forecast | place | {"Metric": "UNBLENDED_COST"} for place in places[:3]],
        "GetDimensionValues": [month | place | {"Dimension": key} for place in places[:3] for key in ("LINKED_ACCOUNT", "SERVICE", "REGION")]
        + [month | {"Dimension": "LINKED_ACCOUNT", "SearchString": of.accounts[0]}],
        "GetReservationCoverage": [month], "GetReservationUtilization": [month], "GetSavingsPlansCoverage": [month], "GetSavingsPlansUtilization": [month], "GetSavingsPlansUtilizationDetails": [month],
        "GetTags": [month | place | {"TagKey": "team"} for place in places[:3]] + [month, month | {"TagKey": "team", "SearchString": of.tag}],
        "GetUsageForecast": [forecast | place | {"Metric": "USAGE_QUANTITY"} for place in places[:3]], "ListCostAllocationTags": [{}],
    }


def invoicing(of):
    portal, unit = {"ProcurementPortalPreferenceArn": of.portal}, {"InvoiceUnitArn": of.unit}
    preference = {"EinvoiceDeliveryEnabled": False, "PurchaseOrderRetrievalEnabled": False, "Contacts": [{"Name": "Eve", "Email": "eve@example.com"}],
                  "ProcurementPortalInstanceEndpoint": "https://portal.example/mine", "ProcurementPortalSharedSecret": "open-sesame-9",
                  "Selector": {"InvoiceUnitArns": [of.unit], "SellerOfRecords": ["AWS_INC"]}}
    buyer = {"ProcurementPortalName": "COUPA", "BuyerDomain": "NetworkID", "BuyerIdentifier": fresh("made"), "SupplierDomain": "NetworkID", "SupplierIdentifier": "x"}
    return {
        "BatchGetInvoiceProfile": [{"AccountIds": of.accounts}],
        "CreateInvoiceUnit": [{"Name": fresh("made"), "InvoiceReceiver": of.accounts[0], "Rule": {"LinkedAccounts": of.accounts}},
                              {"Name": fresh("made"), "InvoiceReceiver": of.accounts[0], "Rule": {"BillSourceAccounts": of.accounts[:1]}}],
        "CreateProcurementPortalPreference": [preference | buyer], "DeleteInvoiceUnit": [unit], "DeleteProcurementPortalPreference": [portal],
        "GetInvoicePDF": [{"InvoiceId": one} for one in (of.invoice, of.summary)], "GetInvoiceUnit": [unit], "GetProcurementPortalPreference": [portal],
        "ListInvoiceSummaries": [{"Selector": {"ResourceType": "ACCOUNT_ID", "Value": of.accounts[0]}},
                                 {"Selector": {"ResourceType": "INVOICE_ID", "Value": of.summary}},
                                 {"Selector": {"ResourceType": "ACCOUNT_ID", "Value": of.payer}}],
        "ListInvoiceUnits": [{}, {"Filters": {"Accounts": of.accounts}}, {"Filters": {"BillSourceAccounts": of.accounts}}],
        "ListProcurementPortalPreferences": [{}], "ListProcurementPortalSuppliers": [{"PortalIdentifier": "COUPA"}], "ListProcurementPortals": [{}],
        "ListTagsForResource": [{"ResourceArn": one} for one in (of.unit, of.portal)], "PutProcurementPortalPreference": [portal | preference],
        "SendProcurementPortalValidation": [portal], "TagResource": [{"ResourceArn": of.unit, "ResourceTags": [{"Key": "a", "Value": "b"}]}],
        "UntagResource": [{"ResourceArn": of.unit, "ResourceTagKeys": ["secret"]}], "UpdateInvoiceUnit": [unit | {"Rule": {"LinkedAccounts": of.accounts[:1]}},
                                                                                                         unit | {"Rule": {"BillSourceAccounts": of.accounts[:1]}}],
        "UpdateProcurementPortalPreferenceStatus": [portal | {"EinvoiceDeliveryPreferenceStatus": "SUSPENDED"}],
        "VerifyProcurementPortalValidation": [portal | {"Code": "1"}],
    }


def organizations(of):
    return {
        "DescribeAccount": [{"AccountId": one} for one in of.accounts], "DescribeOrganization": [{}],
        "DescribeOrganizationalUnit": [{"OrganizationalUnitId": of.organizational_unit}],
        "DescribeResponsibilityTransfer": [{"Id": of.transfer.rsplit("/", 1)[1]}], "ListAccounts": [{}, {"MaxResults": 1}],
        "ListAccountsForParent": [{"ParentId": of.organizational_unit}],
        "ListChildren": [{"ParentId": of.organizational_unit, "ChildType": kind} for kind in ("ACCOUNT", "ORGANIZATIONAL_UNIT")],
        "ListInboundResponsibilityTransfers": [{"Type": "BILLING"}, {"Type": "BILLING", "Id": of.transfer.rsplit("/", 1)[1]}],
        "ListOrganizationalUnitsForParent": [{"ParentId": of.root}], "ListParents": [{"ChildId": of.accounts[0]}], "ListRoots": [{}],
        "ListTagsForResource": [{"ResourceId": of.accounts[0]}],
    }


def order_of(of, **more):
    line = {"Number": "1", "Type": "ALL", "StartMonth": "2026-01", "EndMonth": "2026-12", "Amount": of.amount, "BalanceTracking": True}
    return {"PurchaseOrderId": f"{of.name}-order", "BillFrom": ["AWS_INC"], "ShipTo": SHIP_TO, "LineItems": [line], "EffectiveMonth": "2026-01",
            "ExpirationMonth": "2026-12"} | ({"BillingGroupArn": of.group} if of.is_customer else {}) | more


def purchase_orders(of):
    order = {"PurchaseOrderArn": of.order}
    return {
        "AddPurchaseOrder": [order_of(of, PurchaseOrderId=fresh("made"), BillingGroupArn=of.group, InvoiceUnits=[of.unit])],
        "DeletePurchaseOrder": [order], "GetPurchaseOrder": [order, order | {"Revision": 1}], "ListPurchaseOrderInvoices": [order],
        "ListPurchaseOrders": [{}, {"Filters": {"BillingGroupArns": [of.group]}}], "ListTagsForResource": [{"ResourceArn": of.order}],
        "TagResource": [{"ResourceArn": of.order, "Tags": {"a": "b"}}], "UntagResource": [{"ResourceArn": of.order, "TagKeys": ["secret"]}],
        "UpdatePurchaseOrder": [order | {"Description": "mine"}, order | {"InvoiceUnits": [of.unit]}, order | {"PurchaseOrderId": fresh("made")}],
        "UpdatePurchaseOrderStatus": [order | {"Status": "SUSPENDED"}],
    }


def saved_of(of, **more):
    return {"Name": f"{of.name}-saved", "TimeRange": "LAST_MONTH", "BillingViewArn": of.view, "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}]} | more


def proforma(of):
    number, draft, match, group = {"InvoiceNumber": of.invoice}, {"DraftId": of.draft}, {"InvoiceId": of.aws_invoice}, {"BillingGroupArn": of.group}
    rule = group | {"Selectors": [{"NamePattern": f"{of.name}*"}], "ExceptAccountIds": of.accounts[:1]}
    book = {"Book": f'payer_account_id = "{of.payer}"\ncurrency = "USD"\n'}
    organization = {"Content": organizations_file([row(0, "Root", "mine", payer=of.payer)]), "FileName": "organization.csv"}
    invoice = {"InvoiceId": fresh("INV"), "Kind": "MONTHLY_USAGE", "BillFrom": "AWS_INC", "BillingPeriod": PREVIOUS, "TotalAmount": "1", "Currency": "USD",
           "IssuedDate": "2026-11-03T00:00:00Z"}
    return {
        "ApplyBook": [book], "ApplyOrganization": [organization], "ApplyRematch": [{"InvoiceIds": [of.aws_invoice]}, group | {"InvoiceIds": []}],
        "ApproveInvoice": [match | {"Reason": "words"}], "AttachInvoiceDocument": [match | {"Document": PDF, "DocumentId": fresh("made")}],
        "CheckNotices": [{}], "ClosePeriod": [{"BillingPeriod": CURRENT}],
        "CreateKey": [{"PrincipalName": fresh("eve"), "Role": "group-viewer", "BillingGroups": [of.group], "Accounts": of.accounts}],
        "GetCostCategoryAllocation": [{"CostCategory": of.category, "BillingPeriod": PREVIOUS},
                                      {"CostCategory": f"{of.name}-kind", "BillingPeriod": PREVIOUS, "BillingViewArn": of.view}],
        "CreditInvoice": [number], "DeclareAccounts": [{"Accounts": [{"AccountId": of.accounts[0], "Name": "mine"}]}], "DeleteBillingGroupRule": [group],
        "DeleteKey": [{"AccessKeyId": of.key}], "DeleteSavedReport": [{"Name": of.saved}], "DiscardInvoiceDraft": [draft],
        "DraftInvoice": [{"BillingGroup": of.group, "BillingPeriod": PREVIOUS, "PurchaseOrderNumber": of.order.rsplit("/", 1)[1], "PurchaseOrderLine": "1"}],
        "DropMessages": [{"MessageIds": [of.message]}], "ErasePersonalData": [{"Names": [of.email]}], "ExportBook": [{}, {"BillingPeriod": PREVIOUS}],
        "ExportPersonalData": [{"Names": [of.email]}], "GetInvoice": [number], "GetInvoiceDocument": [number | {"Format": kind} for kind in ("JSON", "CSV")],
        "GetInvoiceMatch": [match, {"InvoiceId": of.invoice}], "GetInvoiceSettings": [{}, {"BillingGroup": of.group}], "GetMatchingSettings": [{}],
        "GetNotificationSettings": [{}], "GetOrganizationSync": [{}], "GetProcurementPortalCode": [{"ProcurementPortalPreferenceArn": of.portal}],
        "GetPurchaseOrderForecast": [{"PurchaseOrderArn": of.order}], "GetRetention": [{}], "GetSavedReport": [{"Name": of.saved}],
        "GetThreeWayMatch": [{}, group, {"OnlyPayer": True}], "GetWebhookSecret": [{}], "ImportCostData": [{"CostFiles": [of.cost], "BillingPeriod": PREVIOUS}],
        "ImportExchangeRates": [{"Rates": "date,from,to,rate,source\n2026-10-31,USD,EUR,0.9,ECB\n"}], "ImportInvoiceSummaries": [{"Summaries": "[]"}],
        "ImportInvoices": [{"Invoices": [invoice | group | {"RequestedPurchaseOrderId": of.order.rsplit("/", 1)[1], "OriginalInvoiceId": of.aws_invoice,
                                                        "OtherRequestedPurchaseOrderIds": [of.order.rsplit("/", 1)[1]], "ChargeId": "c"}]}],
        "ImportPurchaseOrders": [{"PurchaseOrders": [order_of(of, PurchaseOrderId=fresh("made"), BillingGroupArn=of.group, UpdatedAt="2026-11-03T00:00:00Z",
                                                              Currency="USD", InvoiceUnits=[of.unit])]}],
        "IssueInvoice": [draft], "LimitPurchaseOrders": [{"PrincipalName": of.principal, "NoLimits": True}], "ListAuditEvents": [{}],
        "ListBillingGroupRules": [{}], "ListInvoiceDrafts": [{}], "ListInvoiceMatches": [{}, group, {"OnlyPayer": True}], "ListInvoiceProfiles": [{}],
        "ListInvoiceSchedules": [{}], "ListInvoices": [{}, {"BillingGroup": of.group}, {"BillingPeriod": PREVIOUS}], "ListKeys": [{}], "ListMessages": [{}],
        "ListPeriods": [{}], "ListPurchaseOrderLimits": [{}], "ListPurchaseOrderRevisions": [{"PurchaseOrderArn": of.order}], "ListRuns": [{}],
        "ListSavedReports": [{}], "ListSources": [{}], "MoveInvoice": [match | {"PurchaseOrderArn": of.order, "LineItemNumber": "1", "Reason": "words"}],
        "PlanBillingGroupRule": [rule], "PlanBook": [book], "PlanOrganization": [organization], "PlanRematch": [{}, group],
        "PreviewInvoice": [draft], "PutBillingGroupRule": [rule], "PutInvoiceProfile": [{"AccountId": of.accounts[0], "ReceiverName": "mine"}],
        "PutInvoiceSettings": [{"BillingGroup": of.group, "Settings": "{}"}],
        "PutSavedReport": [saved_of(of, Name=fresh("made"), BillingViewArn=view) for view in (of.view, of.custom)],
        "ReconcileInvoices": [{"BillingPeriod": PREVIOUS}], "RecordPayment": [number | {"Amount": "1"}], "RemoveSource": [{"SourceId": of.source}],
        "RetryMessages": [{"MessageIds": [of.message]}], "RunSavedReport": [{"Name": of.saved, "Format": kind} for kind in ("JSON", "CSV")],
        "SendTestNotification": [{"Channel": "EMAIL", "Recipient": of.email}],
        "UpdateInvoiceSchedule": [group | {"Policy": "AUTOMATIC", "DaysAfterClose": 1, "Emails": ["eve@example.com"]}],
        "UpdateKey": [{"AccessKeyId": of.key, "Status": "Inactive"}], "UpdateMatchingSettings": [{"AllowNumberSign": True}],
        "UpdateNotificationSettings": [{"Emails": ["eve@example.com"]}], "UpdateOrganizationSync": [{"EveryHours": 1}], "UpdateRetention": [{"AuditDays": 4000}],
    }


SERVICES = {"bcm-data-exports": data_exports, "billing": billing, "billingconductor": billingconductor, "budgets": budgets, "ce": ce, "cur": cur,
            "invoicing": invoicing, "organizations": organizations, "proforma": proforma, "purchase-orders": purchase_orders,
            "sts": lambda of: {"GetCallerIdentity": [{}]}}


def every(of):
    """Every request of somebody's things: the service, the operation, the input."""
    return [(service, operation, given) for service, cases in SERVICES.items() for operation, inputs in cases(of).items() for given in inputs]


def requests(*worlds):
    """The requests of several, each once."""
    return list({repr(one): one for of in worlds for one in every(of)}.values())
