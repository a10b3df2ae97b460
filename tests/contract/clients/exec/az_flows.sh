# Knows nothing of Backlot: policy work at the command line, signed in as a service principal.
set -e
az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" --output none
az policy assignment list --query "[?name=='SecurityCenterBuiltIn'].name" --output tsv
az policy definition show --name 404c3081-a854-4457-ae30-26a93ef643f9 --query policyType --output tsv
az policy state list --filter "isCompliant eq false" --apply "groupby((policyAssignmentName), aggregate(\$count as n))" --query "length(@)" --output tsv
az policy remediation create --name fix-tags --policy-assignment inherit-costcenter --query provisioningState --output tsv
az policy metadata list --top 2 --query "length(@)" --output tsv
az resource list --resource-group rg-web-prod-01 --query "length(@)" --output tsv
az rest --method post --url "https://management.azure.com/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01" \
  --body '{"query": "resources | summarize n = count()"}' --query "data[0].n" --output tsv
# What is written again is updated: az takes 201 for the answer, nothing else.
az policy definition create --name own --mode All --output none \
  --rules '{"if": {"field": "type", "equals": "Microsoft.Cache/redis"}, "then": {"effect": "audit"}}'
az policy definition update --name own --display-name "My own" --query displayName --output tsv
for again in 1 2; do
  az policy assignment create --name own --policy own --mi-system-assigned --location westeurope \
    --query "length(identity.principalId)" --output tsv 2>/dev/null
done
