/** The completion scripts. Each only asks `aip __complete` and shows its answer. */

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof SHELLS)[number];

// bash splits words at `:` and `=`, which DIDs and --flag=value hold, so the line itself is read and their prefix taken off again.
const BASH = `# aip completion for bash: eval "$(aip completion bash)" in ~/.bashrc
_aip() {
  local line current prefix value
  local -a words
  line="\${COMP_LINE:0:COMP_POINT}"
  read -ra words <<<"$line"
  case "$line" in *[[:space:]]) words+=("") ;; esac
  current="\${words[\${#words[@]}-1]}"
  prefix="\${current%"\${current##*[:=]}"}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = ":file" ]; then
      compopt -o default 2>/dev/null
    else
      value="\${line%%$'\\t'*}"
      COMPREPLY+=("\${value#"$prefix"}")
    fi
  done < <(aip __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _aip aip aip-cli
`;

const ZSH = `#compdef aip aip-cli
# aip completion for zsh: source <(aip completion zsh) in ~/.zshrc, after compinit
_aip() {
  local line files
  local -a values
  for line in "\${(@f)$(aip __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :file) files=1 ;;
      *$'\\t'*) values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      *) values+=("\${line//:/\\\\:}") ;;
    esac
  done
  (( $#values )) && _describe -V aip values
  [[ -n $files ]] && { compset -P '--*='; _files }
}
if [ "$funcstack[1]" = "_aip" ]; then _aip "$@"; else compdef _aip aip aip-cli; fi
`;

const FISH = `# aip completion for fish: aip completion fish > ~/.config/fish/completions/aip.fish
function __aip_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (aip __complete -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ':file'
            complete -C "'' $current"
        else
            echo $line
        end
    end
end
complete -c aip -f -a '(__aip_complete)'
complete -c aip-cli -f -a '(__aip_complete)'
`;

// PowerShell keeps a bare -- from a script, and the aip that npm installs there is one.
const POWERSHELL = `# aip completion for PowerShell: aip completion powershell | Out-String | Invoke-Expression in $PROFILE
Register-ArgumentCompleter -Native -CommandName aip, aip-cli -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  $flags = if ($wordToComplete -eq '') { @('--new-word') } else { @() }
  aip __complete @flags '--' @words 2>$null | Where-Object { $_ -ne ':file' } | ForEach-Object {
    $value, $why = $_ -split "\`t", 2
    if (-not $why) { $why = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $why)
  }
}
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };
