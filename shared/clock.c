/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "clock.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
static int64_t ms(clockid_t c){struct timespec t; clock_gettime(c,&t); return (int64_t)t.tv_sec*1000+t.tv_nsec/1000000;}
int64_t clock_wall_ms(void){return ms(CLOCK_REALTIME);} int64_t clock_mono_ms(void){return ms(CLOCK_MONOTONIC);}
void clock_format(int64_t w,char o[CLOCK_TEXT_SIZE]){time_t t=(time_t)(w/1000); struct tm m; gmtime_r(&t,&m); size_t n=strftime(o,CLOCK_TEXT_SIZE,"%Y-%m-%dT%H:%M:%S",&m); snprintf(o+n,CLOCK_TEXT_SIZE-n,".%03dZ",(int)(w%1000));}
void clock_format_iso_s(int64_t w,char o[CLOCK_TEXT_SIZE]){time_t t=(time_t)(w/1000); struct tm m; gmtime_r(&t,&m); strftime(o,CLOCK_TEXT_SIZE,"%Y-%m-%dT%H:%M:%S+00:00",&m);}
bool clock_parse_rfc2822(const char*s,int64_t*o){struct tm m={0}; char*e=strptime(s,"%a, %d %b %Y %H:%M:%S",&m); if(!e)return false; int off=0; while(*e==' ')e++; if((*e=='+'||*e=='-')&&strlen(e)>=5)off=((e[1]-'0')*600+(e[2]-'0')*60+(e[3]-'0')*10+(e[4]-'0'))*(*e=='-'?-1:1); *o=((int64_t)timegm(&m)-off*60)*1000; return true;}
