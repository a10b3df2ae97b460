"""Knows nothing of Backlot: what a governance back end does through Azure's official clients, signed in by the environment."""
import json
import os
from itertools import islice

from azure.identity import EnvironmentCredential
from azure.mgmt.costmanagement import CostManagementClient
from azure.mgmt.policyinsights import PolicyInsightsClient
from azure.mgmt.policyinsights.models import QueryOptions
from azure.mgmt.resource import PolicyClient, SubscriptionClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest

credential = EnvironmentCredential()
subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
scope = f"/subscriptions/{subscription}"
insights = PolicyInsightsClient(credential, subscription)
states = insights.policy_states


def query(**options):
    return states.list_query_results_for_subscription("latest", subscription, QueryOptions(**options))


failing = [state for state in query(filter="isCompliant eq false")]
summary = states.summarize_for_subscription("latest", subscription).value[0]
grouped = list(query(apply="groupby((complianceState), aggregate($count as n))"))

assignment = next(each for each in PolicyClient(credential, subscription).policy_assignments.list()
                  if each.name == "inherit-costcenter")
remediation = insights.remediations.create_or_update_at_subscription(
    "fix-tags", {"policy_assignment_id": assignment.id, "resource_count": 3})
states.begin_trigger_subscription_evaluation(subscription).wait(timeout=60)

graph = ResourceGraphClient(credential).resources(QueryRequest(
    subscriptions=[subscription],
    query="policyresources | where type =~ 'microsoft.policyinsights/policystates'"
          " | summarize n = count() by state = tostring(properties.complianceState)"))
costs = CostManagementClient(credential).query.usage(scope, {
    "type": "ActualCost", "timeframe": "MonthToDate",
    "dataset": {"granularity": "Daily",
                "aggregation": {"totalCost": {"name": "PreTaxCost", "function": "Sum"}}}})

print(json.dumps({
    "failing": len({state.resource_id for state in failing}),
    "summary": summary.results.non_compliant_resources,
    "grouped": sum(state.additional_properties["n"] for state in grouped),
    "remediation": remediation.provisioning_state,
    "graph": sum(row["n"] for row in graph.data),
    "columns": [column.name for column in costs.columns],
    "subscriptions": len(list(islice(SubscriptionClient(credential).subscriptions.list(), 10))),
}))
