"""The containers and codecs that may be decoded, by FFmpeg's names of its demuxers and decoders.

Listed is what holds sound, is told by its content, and opens no second file. Left out are demuxers that read text
(playlists, scripts, subtitles), pictures, devices and networks, and raw samples, which nothing tells apart. Formats of
computer games are listed where FFmpeg can also write them, so that tests can try them. Decoders of pictures and
subtitles are never needed.

``docs/formats.md`` shows what comes of them; ``python -m tests.classifier.audio.formats_table`` writes it.
"""

from __future__ import annotations

from typing import Final

SOUND_DEMUXERS: Final = (
    "aac,ac3,act,adx,aiff,alp,amr,amrnb,amrwb,ape,apm,argo_asf,ast,au,bonk,caf,dsf,dss,dts,dtshd,eac3,flac,hcom,"
    "iff,ircam,kvag,loas,mlp,mmf,mp3,mpc,mpc8,nistsphere,ogg,oma,osq,pvf,qcp,qoa,rka,shn,sox,spdif,tak,"
    "truehd,tta,voc,vqf,w64,wav,wavarc,wsaud,wv,xwma"
)
VIDEO_DEMUXERS: Final = (
    "asf,avi,dv,flv,gxf,live_flv,lxf,matroska,mov,mpeg,mpegts,mxf,nsv,nut,nuv,pva,rm,roq,smjpeg,swf,ty,vivo,wtv"
)
DEMUXERS: Final = f"{SOUND_DEMUXERS},{VIDEO_DEMUXERS}"
"""As FFmpeg's options take them: separated by commas."""
DECODERS: Final = (
    "8svx_exp,8svx_fib,aac,aac_latm,ac3,adpcm_adx,adpcm_argo,adpcm_ct,adpcm_ima_alp,adpcm_ima_apm,adpcm_ima_qt,"
    "adpcm_ima_smjpeg,adpcm_ima_ssi,adpcm_ima_wav,adpcm_ima_ws,adpcm_ms,adpcm_sbpro_2,adpcm_sbpro_3,"
    "adpcm_sbpro_4,adpcm_swf,adpcm_yamaha,alac,als,amrnb,amrwb,ape,atrac1,atrac3,atrac3al,atrac3plus,"
    "atrac3plusal,bonk,cook,dca,dfpwm,dsd_lsbf,dsd_lsbf_planar,dsd_msbf,dsd_msbf_planar,dss_sp,dst,dvaudio,eac3,"
    "evrc,flac,g722,g723_1,g726,g726le,g729,gsm,gsm_ms,hcom,iac,ilbc,imc,mace3,mace6,metasound,mlp,mp1float,mp2,"
    "mp3adufloat,mp3float,mp3on4float,mpc7,mpc8,nellymoser,on2avc,opus,osq,pcm_alaw,pcm_bluray,pcm_dvd,pcm_f16le,"
    "pcm_f24le,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16be_planar,pcm_s16le,"
    "pcm_s16le_planar,pcm_s24be,pcm_s24daud,pcm_s24le,pcm_s24le_planar,pcm_s32be,pcm_s32le,pcm_s32le_planar,"
    "pcm_s64be,pcm_s64le,pcm_s8,pcm_s8_planar,pcm_u16be,pcm_u16le,pcm_u24be,pcm_u24le,pcm_u32be,pcm_u32le,pcm_u8,"
    "pcm_vidc,qcelp,qdm2,qdmc,qoa,ralf,real_144,real_288,rka,roq_dpcm,s302m,sbc,sdx2_dpcm,shorten,sipr,speex,tak,"
    "truehd,truespeech,tta,twinvq,vorbis,wavarc,wavpack,wmalossless,wmapro,wmav1,wmav2,wmavoice,ws_snd1,xma1,xma2"
)
