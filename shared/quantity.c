/* SPDX-License-Identifier: Apache-2.0 */
#include "quantity.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
bool quantity_parse(const char*s,int64_t*o){ int64_t sign=1,n=0; if(*s=='-'||*s=='+'){ if(*s=='-')sign=-1; s++;} if(*s<'0'||*s>'9')return false; for(;*s>='0'&&*s<='9';s++){ n=n*10+(*s-'0'); if(n>QUANTITY_MAX/1000)return false;} n*=1000; if(*s=='.'){ s++; int64_t m=100; int d=0; for(;*s>='0'&&*s<='9'&&d<3;s++,d++){n+=(*s-'0')*m;m/=10;} if(d==0)return false;} if(*s||n>QUANTITY_MAX)return false; *o=sign*n; return true;}
void quantity_format(int64_t q,char o[QUANTITY_TEXT_SIZE]){ int64_t a=q<0?-q:q; snprintf(o,QUANTITY_TEXT_SIZE,"%s%lld.%03lld",q<0?"-":"",(long long)(a/1000),(long long)(a%1000));}
int64_t quantity_whole_units(int64_t q){return q>0?q/1000:0;}
bool int_parse(const char*s,int64_t mn,int64_t mx,int64_t*o){ if(!s||!*s||!((*s>='0'&&*s<='9')||(*s=='-'&&s[1]>='0'&&s[1]<='9')))return false; char*e; errno=0; long long v=strtoll(s,&e,10); if(errno||*e||v<mn||v>mx)return false; *o=v; return true;}
