# SPDX-License-Identifier: Apache-2.0
#
# Completes the command line of costream-obs. Written by make docs from the commands and the table of settings; do not
# edit.

# Whether the words before the cursor lead to this command.
function __costream_obs_at
    set -l words (commandline -opc)[2..]
    set -l at costream-obs
    if test "$words[1]" = help
        set -e words[1]
    end
    for word in $words
        if not contains -- "$at $word" \
                'costream-obs doctor' \
                'costream-obs graph' \
                'costream-obs pair' \
                'costream-obs pair forget' \
                'costream-obs pair join' \
                'costream-obs pair new' \
                'costream-obs pair show' \
                'costream-obs panel' \
                'costream-obs peer' \
                'costream-obs peer add' \
                'costream-obs peer away' \
                'costream-obs peer back' \
                'costream-obs peer hide' \
                'costream-obs peer layout' \
                'costream-obs peer layout delete' \
                'costream-obs peer layout full' \
                'costream-obs peer layout grid' \
                'costream-obs peer layout list' \
                'costream-obs peer layout pip' \
                'costream-obs peer layout restore' \
                'costream-obs peer layout save' \
                'costream-obs peer layout side-by-side' \
                'costream-obs peer layout use' \
                'costream-obs peer mute' \
                'costream-obs peer mute-me' \
                'costream-obs peer remove' \
                'costream-obs peer resync' \
                'costream-obs peer show' \
                'costream-obs peer start' \
                'costream-obs peer status' \
                'costream-obs peer stop' \
                'costream-obs peer toggle' \
                'costream-obs peer unmute' \
                'costream-obs peer unmute-me' \
                'costream-obs receive' \
                'costream-obs run' \
                'costream-obs send' \
                'costream-obs setup' \
                'costream-obs setup clean-feed' \
                'costream-obs setup dock' \
                'costream-obs setup hotkeys' \
                'costream-obs status' \
                'costream-obs version'
            break
        end
        set at "$at $word"
    end
    test "$at" = "$argv"
end

complete -c costream-obs -f

set -l at '__costream_obs_at costream-obs'
complete -c costream-obs -n $at -a run -d 'co-stream with the peer whenever OBS streams'
complete -c costream-obs -n $at -a status -d 'print how the co-stream goes: delay, loss, bitrate'
complete -c costream-obs -n $at -a panel -d 'open the page on which you see and steer the co-stream'
complete -c costream-obs -n $at -a pair -d 'pair this machine with a friend\'s'
complete -c costream-obs -n $at -a setup -d 'prepare this machine, or undo that'
complete -c costream-obs -n $at -a doctor -d 'find what is wrong with this machine, and how to fix it'
complete -c costream-obs -n $at -a peer -d 'show, hide or place the peer in OBS\'s scenes'
complete -c costream-obs -n $at -a send -d 'send a video device and a sound source, without OBS'
complete -c costream-obs -n $at -a receive -d 'show and play what the peer sends, without OBS'
complete -c costream-obs -n $at -a graph -d 'draw the running media pipelines'
complete -c costream-obs -n $at -a version -d 'print the version, for bug reports'
complete -c costream-obs -n $at -a help -d 'explain a command'

set -l at '__costream_obs_at costream-obs doctor'
complete -c costream-obs -n $at -l only -x -a 'svc svc.config svc.run svc.unit host host.gst host.user v4l2 v4l2.module.file v4l2.module.sign v4l2.module.loaded v4l2.module.version v4l2.conf v4l2.dev.pair v4l2.dev.order v4l2.dev.excl v4l2.dev.keepformat v4l2.dev.holders v4l2.dev.state obs obs.ws.config obs.flatpak obs.ws.connect obs.ws.auth obs.version obs.vcam.avail obs.vcam.type obs.vcam.device obs.video obs.rate obs.source obs.changes obs.loop obs.hotkeys obs.dock audio audio.server audio.priority audio.urgent audio.sink audio.mic audio.mute audio.level audio.monitor.device audio.monitor.inputs audio.place audio.monitor.peer audio.monitor.dup audio.viewers audio.mute.hazard audio.latency net net.ports net.addr net.nat net.router net.meet net.relay net.key net.probe net.clock net.rmem media media.encoder' -d 'run only the checks ID,... and those that they need'
complete -c costream-obs -n $at -l list -d 'list the checks'
complete -c costream-obs -n $at -l fix -d 'fix what can be fixed'
complete -c costream-obs -n $at -l yes -d 'fix without asking'
complete -c costream-obs -n $at -l bundle -r -F -d 'write a FILE'
complete -c costream-obs -n $at -l peer -d 'also probe the peer\'s machine'
complete -c costream-obs -n $at -l listen -x -d 'local address to receive on'
complete -c costream-obs -n $at -l base-port -x -d 'UDP port of the secure link, or the first of the eight UDP ports of the plain link'
complete -c costream-obs -n $at -l link -x -a 'auto secure plain' -d 'how packets travel'
complete -c costream-obs -n $at -l reach -x -a 'direct auto' -d 'how the peer is found on the secure link'
complete -c costream-obs -n $at -l relay-file -r -F -d 'file whose first line is the relay'
complete -c costream-obs -n $at -l meet-nodes -x -d 'nodes of BitTorrent\'s DHT to ask first'
complete -c costream-obs -n $at -l route -x -a 'auto devices portable' -d 'how pictures get out of OBS and into it'
complete -c costream-obs -n $at -l video-out -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that OBS writes to and costream-obs sends to the peer'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l encoder -x -d 'H.264 encoder of your picture'
complete -c costream-obs -n $at -l clean-feed -d 'send the peer your programme without the peer\'s own picture, so that both of you can show each other'
complete -c costream-obs -n $at -l no-clean-feed -d 'do not send the peer your programme without the peer\'s own picture, so that both of you can show each other'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l mic -x -d 'OBS audio inputs that the peer hears'
complete -c costream-obs -n $at -l mic-source -x -d 'send this PulseAudio source directly to the peer, without OBS and its filters'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs graph'
complete -c costream-obs -n $at -l text -d 'print launch lines for gst-launch-1.0 instead'

set -l at '__costream_obs_at costream-obs pair'
complete -c costream-obs -n $at -a new -d 'make an invite for a friend'
complete -c costream-obs -n $at -a join -d 'join with a friend\'s invite'
complete -c costream-obs -n $at -a show -d 'print words to compare with your friend'
complete -c costream-obs -n $at -a forget -d 'forget the friend\'s machine'

set -l at '__costream_obs_at costream-obs pair forget'

set -l at '__costream_obs_at costream-obs pair join'
complete -c costream-obs -n $at -l yes -d 'replace an existing pair without asking'
complete -c costream-obs -n $at -l reach -x -a 'direct auto' -d 'how the peer is found on the secure link'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs pair new'
complete -c costream-obs -n $at -l address -x -d 'address at which your friend reaches this machine, as HOST[:PORT]'
complete -c costream-obs -n $at -l yes -d 'replace an existing pair without asking'
complete -c costream-obs -n $at -l base-port -x -d 'UDP port of the secure link, or the first of the eight UDP ports of the plain link'
complete -c costream-obs -n $at -l reach -x -a 'direct auto' -d 'how the peer is found on the secure link'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs pair show'

set -l at '__costream_obs_at costream-obs panel'
complete -c costream-obs -n $at -l print -d 'print the address and open nothing'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer'
complete -c costream-obs -n $at -a show -d 'show the peer'
complete -c costream-obs -n $at -a hide -d 'hide the peer'
complete -c costream-obs -n $at -a toggle -d 'show the peer if hidden, else hide'
complete -c costream-obs -n $at -a add -d 'add the peer to a scene'
complete -c costream-obs -n $at -a remove -d 'remove the peer from the scenes'
complete -c costream-obs -n $at -a layout -d 'place the peer\'s picture in the scene'
complete -c costream-obs -n $at -a away -d 'take a break'
complete -c costream-obs -n $at -a back -d 'end the break'
complete -c costream-obs -n $at -a status -d 'print where the peer is, and whether it is shown'
complete -c costream-obs -n $at -a mute -d 'mute the peer'
complete -c costream-obs -n $at -a unmute -d 'hear the peer again'
complete -c costream-obs -n $at -a mute-me -d 'mute yourself for the peer alone'
complete -c costream-obs -n $at -a unmute-me -d 'let the peer hear you again'
complete -c costream-obs -n $at -a start -d 'go on air by hand'
complete -c costream-obs -n $at -a stop -d 'go off air by hand'
complete -c costream-obs -n $at -a resync -d 'synchronize picture and voice anew'

set -l at '__costream_obs_at costream-obs peer add'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l route -x -a 'auto devices portable' -d 'how pictures get out of OBS and into it'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l layout -x -a 'pip side-by-side full grid' -d 'where the peer\'s picture goes'
complete -c costream-obs -n $at -l layouts -x -d 'layout for the scenes that match GLOB'
complete -c costream-obs -n $at -l clean-feed -d 'send the peer your programme without the peer\'s own picture, so that both of you can show each other'
complete -c costream-obs -n $at -l no-clean-feed -d 'do not send the peer your programme without the peer\'s own picture, so that both of you can show each other'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer away'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer back'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer hide'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer layout'
complete -c costream-obs -n $at -a pip -d 'a small picture in a corner'
complete -c costream-obs -n $at -a side-by-side -d 'half of the canvas'
complete -c costream-obs -n $at -a full -d 'the whole canvas'
complete -c costream-obs -n $at -a grid -d 'one of two equal cells'
complete -c costream-obs -n $at -a save -d 'save where the peer is, under a name'
complete -c costream-obs -n $at -a use -d 'place the peer as in a saved layout'
complete -c costream-obs -n $at -a list -d 'list the saved layouts'
complete -c costream-obs -n $at -a delete -d 'delete a saved layout'
complete -c costream-obs -n $at -a restore -d 'put the peer back where it was before'

set -l at '__costream_obs_at costream-obs peer layout delete'

set -l at '__costream_obs_at costream-obs peer layout full'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l margin -x -d 'DISTANCE from the edges'
complete -c costream-obs -n $at -l crop -d 'crop the picture so that it fills its place'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer layout grid'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l corner -x -a 'bottom-right bottom-left top-left top-right' -d 'CORNER of the canvas'
complete -c costream-obs -n $at -l margin -x -d 'DISTANCE from the edges'
complete -c costream-obs -n $at -l crop -d 'crop the picture so that it fills its place'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer layout list'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer layout pip'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l corner -x -a 'bottom-right bottom-left top-left top-right' -d 'CORNER of the canvas'
complete -c costream-obs -n $at -l size -x -d 'SIZE of the picture'
complete -c costream-obs -n $at -l margin -x -d 'DISTANCE from the edges'
complete -c costream-obs -n $at -l crop -d 'crop the picture so that it fills its place'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer layout restore'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l layout -x -a 'pip side-by-side full grid' -d 'where the peer\'s picture goes'
complete -c costream-obs -n $at -l layouts -x -d 'layout for the scenes that match GLOB'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer layout save'
complete -c costream-obs -n $at -l scene -x -d 'scene to save from'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer layout side-by-side'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l corner -x -a 'bottom-right bottom-left top-left top-right' -d 'CORNER of the canvas'
complete -c costream-obs -n $at -l size -x -d 'SIZE of the peer\'s part'
complete -c costream-obs -n $at -l margin -x -d 'DISTANCE from the edges'
complete -c costream-obs -n $at -l crop -d 'crop the picture so that it fills its place'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer layout use'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer mute'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer mute-me'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer remove'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer resync'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer show'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer start'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer status'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer stop'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer toggle'
complete -c costream-obs -n $at -l scene -x -d 'scenes that match GLOB'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer unmute'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs peer unmute-me'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs receive'
complete -c costream-obs -n $at -l peer -x -d 'host name or IP address of the peer\'s machine'
complete -c costream-obs -n $at -l peer-name -x -d 'what to call the peer in pictures and messages'
complete -c costream-obs -n $at -l listen -x -d 'local address to receive on'
complete -c costream-obs -n $at -l base-port -x -d 'UDP port of the secure link, or the first of the eight UDP ports of the plain link'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l video-format -x -d 'size and frame rate of the pictures'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs run'
complete -c costream-obs -n $at -l peer -x -d 'host name or IP address of the peer\'s machine'
complete -c costream-obs -n $at -l peer-name -x -d 'what to call the peer in pictures and messages'
complete -c costream-obs -n $at -l name -x -d 'what to call you in pictures that the peer gets'
complete -c costream-obs -n $at -l listen -x -d 'local address to receive on'
complete -c costream-obs -n $at -l base-port -x -d 'UDP port of the secure link, or the first of the eight UDP ports of the plain link'
complete -c costream-obs -n $at -l link -x -a 'auto secure plain' -d 'how packets travel'
complete -c costream-obs -n $at -l reach -x -a 'direct auto' -d 'how the peer is found on the secure link'
complete -c costream-obs -n $at -l relay-file -r -F -d 'file whose first line is the relay'
complete -c costream-obs -n $at -l meet-nodes -x -d 'nodes of BitTorrent\'s DHT to ask first'
complete -c costream-obs -n $at -l when -x -a 'streaming recording virtualcam always manual' -d 'when to go on air'
complete -c costream-obs -n $at -l route -x -a 'auto devices portable' -d 'how pictures get out of OBS and into it'
complete -c costream-obs -n $at -l video-out -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that OBS writes to and costream-obs sends to the peer'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l encoder -x -d 'H.264 encoder of your picture'
complete -c costream-obs -n $at -l bitrate -x -d 'maximum video bitrate'
complete -c costream-obs -n $at -l min-bitrate -x -d 'minimum video bitrate on the secure link, even if the network carries less'
complete -c costream-obs -n $at -l scenes -x -d 'scenes that get the peer\'s picture'
complete -c costream-obs -n $at -l layout -x -a 'pip side-by-side full grid' -d 'where the peer\'s picture goes'
complete -c costream-obs -n $at -l layouts -x -d 'layout for the scenes that match GLOB'
complete -c costream-obs -n $at -l clean-feed -d 'send the peer your programme without the peer\'s own picture, so that both of you can show each other'
complete -c costream-obs -n $at -l no-clean-feed -d 'do not send the peer your programme without the peer\'s own picture, so that both of you can show each other'
complete -c costream-obs -n $at -l private-scenes -x -d 'scenes that the peer neither sees nor hears'
complete -c costream-obs -n $at -l name-plate -d 'write the peer\'s name'
complete -c costream-obs -n $at -l source-name -x -d 'name of the OBS source that shows the peer'
complete -c costream-obs -n $at -l mic -x -d 'OBS audio inputs that the peer hears'
complete -c costream-obs -n $at -l mic-source -x -d 'send this PulseAudio source directly to the peer, without OBS and its filters'
complete -c costream-obs -n $at -l share -x -d 'more OBS audio inputs that the peer hears, in stereo'
complete -c costream-obs -n $at -l peer-audio -x -a 'auto desktop source' -d 'how the peer\'s voice gets into the stream'
complete -c costream-obs -n $at -l av-offset -x -d 'extra delay of the peer\'s audio, in ms, on top of automatic A/V sync'
complete -c costream-obs -n $at -l record-peer -r -F -d 'record the peer\'s picture and voice in this directory, a Matroska file for each time on air'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l panel -d 'serve the page on which you see and steer the co-stream, on this machine alone'
complete -c costream-obs -n $at -l no-panel -d 'do not serve the page on which you see and steer the co-stream, on this machine alone'
complete -c costream-obs -n $at -l panel-listen -x -d 'also serve that page on this IP address of the machine, for a phone'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs send'
complete -c costream-obs -n $at -l peer -x -d 'host name or IP address of the peer\'s machine'
complete -c costream-obs -n $at -l listen -x -d 'local address to receive on'
complete -c costream-obs -n $at -l base-port -x -d 'UDP port of the secure link, or the first of the eight UDP ports of the plain link'
complete -c costream-obs -n $at -l video-out -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that OBS writes to and costream-obs sends to the peer'
complete -c costream-obs -n $at -l video-format -x -d 'size and frame rate of the pictures'
complete -c costream-obs -n $at -l encoder -x -d 'H.264 encoder of your picture'
complete -c costream-obs -n $at -l bitrate -x -d 'maximum video bitrate'
complete -c costream-obs -n $at -l mic-source -x -d 'send this PulseAudio source directly to the peer, without OBS and its filters'
complete -c costream-obs -n $at -l verbose -d 'log what happens, and why, to standard error'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs setup'
complete -c costream-obs -n $at -a hotkeys -d 'give OBS hotkeys for the peer, or remove them'
complete -c costream-obs -n $at -a clean-feed -d 'prepare OBS for sending the programme without the peer, or undo that'
complete -c costream-obs -n $at -a dock -d 'show the panel in a dock of OBS, or remove the dock'
complete -c costream-obs -n $at -l undo -d 'undo what setup did'
complete -c costream-obs -n $at -l print -d 'show the commands and files, and do nothing'
complete -c costream-obs -n $at -l yes -d 'do not ask'
complete -c costream-obs -n $at -l restart -d 'with --yes'
complete -c costream-obs -n $at -l audio -x -a 'null aloop' -d 'KIND of sound nodes'
complete -c costream-obs -n $at -l label-out -x -d 'LABEL of the device that OBS writes'
complete -c costream-obs -n $at -l label-in -x -d 'LABEL of the device that OBS reads'
complete -c costream-obs -n $at -l video-out -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that OBS writes to and costream-obs sends to the peer'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs setup clean-feed'
complete -c costream-obs -n $at -l all -d 'in all scene collections'
complete -c costream-obs -n $at -l undo -d 'undo this in all scene collections'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs setup dock'
complete -c costream-obs -n $at -l undo -d 'remove our dock from OBS'

set -l at '__costream_obs_at costream-obs setup hotkeys'
complete -c costream-obs -n $at -l toggle -x -d 'KEY that shows the peer if hidden, else hides it'
complete -c costream-obs -n $at -l show -x -d 'KEY that shows the peer'
complete -c costream-obs -n $at -l hide -x -d 'KEY that hides the peer'
complete -c costream-obs -n $at -l mute -x -d 'KEY that mutes or unmutes the peer in the stream'
complete -c costream-obs -n $at -l all -d 'in all scene collections'
complete -c costream-obs -n $at -l undo -d 'remove our hotkeys from all scene collections'
complete -c costream-obs -n $at -l video-in -x -a '(for f in /dev/video*; echo $f; end)' -d 'video device that costream-obs writes the peer\'s picture to and OBS reads'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs status'
complete -c costream-obs -n $at -l watch -d 'go on until Ctrl-C, as costream-obs run prints it'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'

set -l at '__costream_obs_at costream-obs version'
complete -c costream-obs -n $at -l obs-host -x -d 'where OBS runs'
complete -c costream-obs -n $at -l obs-port -x -d 'port of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l obs-password-file -r -F -d 'file whose first line is the password of OBS\'s WebSocket server'
complete -c costream-obs -n $at -l json -d 'print JSON, one object per line'
complete -c costream-obs -n $at -l config -r -F -d 'configuration file'
