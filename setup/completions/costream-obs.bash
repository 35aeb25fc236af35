# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Completes the command line of costream-obs. Written by make docs from the commands and the table of settings; do not
# edit.

_costream_obs() {
  local word=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} at=costream-obs words='' i=1
  COMPREPLY=()
  # To bash --flag=value is three words.
  if [[ $word == '=' ]]; then
    word=''
  elif [[ $flag == '=' ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[1]} != help ]] || i=2
  for (( ; i < COMP_CWORD; i++)); do
    case "$at ${COMP_WORDS[i]}" in
      'costream-obs doctor' | \
        'costream-obs graph' | \
        'costream-obs pair' | \
        'costream-obs pair forget' | \
        'costream-obs pair join' | \
        'costream-obs pair new' | \
        'costream-obs pair show' | \
        'costream-obs panel' | \
        'costream-obs peer' | \
        'costream-obs peer add' | \
        'costream-obs peer away' | \
        'costream-obs peer back' | \
        'costream-obs peer hide' | \
        'costream-obs peer layout' | \
        'costream-obs peer layout delete' | \
        'costream-obs peer layout full' | \
        'costream-obs peer layout grid' | \
        'costream-obs peer layout list' | \
        'costream-obs peer layout pip' | \
        'costream-obs peer layout restore' | \
        'costream-obs peer layout save' | \
        'costream-obs peer layout side-by-side' | \
        'costream-obs peer layout use' | \
        'costream-obs peer mute' | \
        'costream-obs peer mute-me' | \
        'costream-obs peer remove' | \
        'costream-obs peer resync' | \
        'costream-obs peer show' | \
        'costream-obs peer start' | \
        'costream-obs peer status' | \
        'costream-obs peer stop' | \
        'costream-obs peer toggle' | \
        'costream-obs peer unmute' | \
        'costream-obs peer unmute-me' | \
        'costream-obs receive' | \
        'costream-obs run' | \
        'costream-obs send' | \
        'costream-obs setup' | \
        'costream-obs setup clean-feed' | \
        'costream-obs setup dock' | \
        'costream-obs setup hotkeys' | \
        'costream-obs status' | \
        'costream-obs version') at+=" ${COMP_WORDS[i]}" ;;
      *) break ;;
    esac
  done
  [[ $word != -* ]] || flag='' # A flag follows: the one before it was a switch.
  case $flag in
    --peer | --listen | --base-port | --meet-nodes | --encoder | --source-name | --mic | --mic-source | --obs-host | --obs-port | --address | --scene | --layouts | --margin | --size | --peer-name | --video-format | --name | --bitrate | --min-bitrate | --scenes | --private-scenes | --share | --av-offset | --panel-listen | --label-out | --label-in | --toggle | --show | --hide | --mute) return ;;
    --peer-audio) words='auto desktop source' ;;
    --route) words='auto devices portable' ;;
    --link) words='auto secure plain' ;;
    --corner) words='bottom-right bottom-left top-left top-right' ;;
    --reach) words='direct auto' ;;
    --audio) words='null aloop' ;;
    --layout) words='pip side-by-side full grid' ;;
    --when) words='streaming recording virtualcam always manual' ;;
    --only) words='svc svc.config svc.run svc.unit host host.gst host.user v4l2 v4l2.module.file v4l2.module.sign v4l2.module.loaded v4l2.module.version v4l2.conf v4l2.dev.pair v4l2.dev.order v4l2.dev.excl v4l2.dev.keepformat v4l2.dev.holders v4l2.dev.state obs obs.ws.config obs.flatpak obs.ws.connect obs.ws.auth obs.version obs.vcam.avail obs.vcam.type obs.vcam.device obs.video obs.rate obs.source obs.changes obs.loop obs.hotkeys obs.dock audio audio.server audio.priority audio.urgent audio.sink audio.mic audio.mute audio.level audio.monitor.device audio.monitor.inputs audio.place audio.monitor.peer audio.monitor.dup audio.viewers audio.mute.hazard audio.latency net net.ports net.addr net.nat net.router net.meet net.relay net.key net.probe net.clock net.rmem media media.encoder' ;;
    --bundle | --relay-file | --obs-password-file | --config | --record-peer)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    --video-out | --video-in)
      mapfile -t COMPREPLY < <(compgen -W "$(compgen -G '/dev/video*')" -- "$word")
      return
      ;;
  esac
  if [[ -z $words ]]; then
    case $at in
      'costream-obs') words='run status panel pair setup doctor peer send receive graph version help' ;;
      'costream-obs doctor') words='--only --list --fix --yes --bundle --peer --listen --base-port --link --reach --relay-file --meet-nodes --route --video-out --video-in --encoder --clean-feed --no-clean-feed --source-name --mic --mic-source --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs graph') words='--text' ;;
      'costream-obs pair') words='new join show forget' ;;
      'costream-obs pair join') words='--yes --reach --config' ;;
      'costream-obs pair new') words='--address --yes --base-port --reach --config' ;;
      'costream-obs panel') words='--print --json --config' ;;
      'costream-obs peer') words='show hide toggle add remove layout away back status mute unmute mute-me unmute-me start stop resync' ;;
      'costream-obs peer add') words='--scene --route --video-in --layout --layouts --clean-feed --no-clean-feed --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer away') words='--json --verbose --config' ;;
      'costream-obs peer back') words='--json --verbose --config' ;;
      'costream-obs peer hide') words='--scene --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer layout') words='pip side-by-side full grid save use list delete restore' ;;
      'costream-obs peer layout full') words='--scene --margin --crop --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer layout grid') words='--scene --corner --margin --crop --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer layout list') words='--json --config' ;;
      'costream-obs peer layout pip') words='--scene --corner --size --margin --crop --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer layout restore') words='--scene --video-in --layout --layouts --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer layout save') words='--scene --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer layout side-by-side') words='--scene --corner --size --margin --crop --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer layout use') words='--scene --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer mute') words='--json --verbose --config' ;;
      'costream-obs peer mute-me') words='--json --verbose --config' ;;
      'costream-obs peer remove') words='--scene --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer resync') words='--json --verbose --config' ;;
      'costream-obs peer show') words='--scene --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer start') words='--json --verbose --config' ;;
      'costream-obs peer status') words='--scene --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer stop') words='--json --verbose --config' ;;
      'costream-obs peer toggle') words='--scene --video-in --source-name --obs-host --obs-port --obs-password-file --json --verbose --config' ;;
      'costream-obs peer unmute') words='--json --verbose --config' ;;
      'costream-obs peer unmute-me') words='--json --verbose --config' ;;
      'costream-obs receive') words='--peer --peer-name --listen --base-port --video-in --video-format --verbose --config' ;;
      'costream-obs run') words='--peer --peer-name --name --listen --base-port --link --reach --relay-file --meet-nodes --when --route --video-out --video-in --encoder --bitrate --min-bitrate --scenes --layout --layouts --clean-feed --no-clean-feed --private-scenes --name-plate --source-name --mic --mic-source --share --peer-audio --av-offset --record-peer --obs-host --obs-port --obs-password-file --panel --no-panel --panel-listen --json --verbose --config' ;;
      'costream-obs send') words='--peer --listen --base-port --video-out --video-format --encoder --bitrate --mic-source --verbose --config' ;;
      'costream-obs setup') words='hotkeys clean-feed dock --undo --print --yes --restart --audio --label-out --label-in --video-out --video-in --config' ;;
      'costream-obs setup clean-feed') words='--all --undo --video-in --config' ;;
      'costream-obs setup dock') words='--undo' ;;
      'costream-obs setup hotkeys') words='--toggle --show --hide --mute --all --undo --video-in --config' ;;
      'costream-obs status') words='--watch --json --config' ;;
      'costream-obs version') words='--obs-host --obs-port --obs-password-file --json --config' ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _costream_obs costream-obs
