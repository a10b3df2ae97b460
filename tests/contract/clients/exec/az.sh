# Knows nothing of Backlot: signs in as a service principal and lists states of compliance.
set -e
az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" --output none
az policy state list --top 5 --query 'length(@)' --output tsv
