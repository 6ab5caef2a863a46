# shellcheck shell=bash
# The environment of everything here: `source tools/env.sh`, then homeops, pulumi, sops and age are the right ones.
#
# Without PULUMI_BACKEND_URL, state is kept in .state of this checkout, under an empty passphrase: right for the rehearsal
# and for looking at a preview. For the real homelab, set PULUMI_BACKEND_URL and PULUMI_CONFIG_PASSPHRASE.

homeops_root=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)

# The virtual environment comes first: Pulumi's language host runs the first python there is.
case ":$PATH:" in
  *":$homeops_root/.venv/bin:$homeops_root/.tools/bin:"*) ;;
  *) export PATH="$homeops_root/.venv/bin:$homeops_root/.tools/bin:$PATH" ;;
esac

if [ -z "${PULUMI_BACKEND_URL:-}" ]; then
  mkdir -p "$homeops_root/.state"
  export PULUMI_BACKEND_URL="file://$homeops_root/.state"
  export PULUMI_HOME="$homeops_root/.tools/pulumi-home"
  export PULUMI_CONFIG_PASSPHRASE="${PULUMI_CONFIG_PASSPHRASE-}"
fi
export PULUMI_SKIP_UPDATE_CHECK=true
export PULUMI_DIY_BACKEND_NO_LEGACY_WARNING=1
# Pulumi lists the environment's packages with pip, which would ask the package index for a newer pip.
export PIP_DISABLE_PIP_VERSION_CHECK=1
# A plugin is looked for when a resource needs it, not because a Python package in the environment could.
export PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL=true

# A stack that fails stops what depends on it and nothing else; the run still ends as failed.
export PULUMI_CONTINUE_ON_ERROR=true

# Deploys wait in the provider for their host's turn; Pulumi's default is four operations a processor of this machine.
export PULUMI_PARALLEL="${PULUMI_PARALLEL:-32}"

# pulumi lives for seconds: looking for garbage less often makes it faster, for some 20 MB more.
export GOGC="${GOGC:-400}"

unset homeops_root
